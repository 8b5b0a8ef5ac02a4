#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const unsigned char host_mac[6] = {0xee, 0xee, 0xee, 0xee, 0xee, 0xee};

// A datagram of requests; `last` is where the newest one begins.
struct batch {
    _Alignas(8) char bytes[2048];
    size_t length, last;
    int count;
};

static void begin(struct batch *batch, int type, int flags, const void *header, size_t size) {
    struct nlmsghdr *message = (struct nlmsghdr *)(batch->bytes + batch->length);
    memset(message, 0, NLMSG_SPACE(size));
    *message = (struct nlmsghdr){
        .nlmsg_len = (uint32_t)NLMSG_LENGTH(size), .nlmsg_type = (uint16_t)type,
        .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags), .nlmsg_seq = (uint32_t)++batch->count};
    memcpy(NLMSG_DATA(message), header, size);
    batch->last = batch->length;
    batch->length += NLMSG_SPACE(size);
}

static struct rtattr *put(struct batch *batch, int type, const void *value, size_t size) {
    struct rtattr *attribute = (struct rtattr *)(batch->bytes + batch->length);
    memset(attribute, 0, RTA_SPACE(size));
    attribute->rta_type = (unsigned short)type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    if (size > 0) memcpy(RTA_DATA(attribute), value, size);
    batch->length += RTA_SPACE(size);
    ((struct nlmsghdr *)(batch->bytes + batch->last))->nlmsg_len = (uint32_t)(batch->length - batch->last);
    return attribute;
}

static void put_u32(struct batch *batch, int type, uint32_t value) { put(batch, type, &value, sizeof value); }
static void end(struct batch *batch, struct rtattr *nest) {
    nest->rta_len = (unsigned short)(batch->bytes + batch->length - (char *)nest);
}

// Sends the requests and reads an answer to each; the first error is the answer.
static int flush(int socket, struct batch *batch) {
    if (send(socket, batch->bytes, batch->length, 0) < 0) return -errno;
    int answers = 0, failure = 0;
    while (answers < batch->count) {
        _Alignas(8) char answer[8192];
        ssize_t size = recv(socket, answer, sizeof answer, 0);
        if (size < 0) return -errno;
        size_t rest = (size_t)size;
        for (struct nlmsghdr *m = (struct nlmsghdr *)answer; NLMSG_OK(m, rest); m = NLMSG_NEXT(m, rest)) {
            if (m->nlmsg_type != NLMSG_ERROR) continue;
            answers++;
            int code = ((struct nlmsgerr *)NLMSG_DATA(m))->error;
            if (code != 0 && failure == 0) failure = code;
        }
    }
    batch->length = 0;
    batch->count = 0;
    return failure;
}

static int open_socket(void) {
    int socket_number = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), on = 1;
    if (socket_number >= 0) setsockopt(socket_number, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    return socket_number;
}

static int index_of(int socket, const char *name) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(socket, SIOCGIFINDEX, &request) < 0 ? -errno : request.ifr_ifindex;
}

static void put_pair(struct batch *batch, const char *host_name, int pod) {
    struct ifinfomsg header = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, peer_header = {0};
    begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
    put(batch, IFLA_IFNAME, host_name, strlen(host_name) + 1);
    put_u32(batch, IFLA_MTU, 1500);
    put_u32(batch, IFLA_NUM_TX_QUEUES, 1);
    put_u32(batch, IFLA_NUM_RX_QUEUES, 1);
    put(batch, IFLA_ADDRESS, host_mac, sizeof host_mac);
    struct rtattr *info = put(batch, IFLA_LINKINFO, NULL, 0);
    put(batch, IFLA_INFO_KIND, "veth", 5);
    struct rtattr *data = put(batch, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = put(batch, VETH_INFO_PEER, &peer_header, sizeof peer_header);
    put(batch, IFLA_IFNAME, "eth0", 5);
    put_u32(batch, IFLA_MTU, 1500);
    put_u32(batch, IFLA_NUM_TX_QUEUES, 1);
    put_u32(batch, IFLA_NUM_RX_QUEUES, 1);
    put_u32(batch, IFLA_NET_NS_FD, (uint32_t)pod);
    end(batch, peer);
    end(batch, data);
    end(batch, info);
}

static void put_host_settings(struct batch *batch, int index) {
    struct ifinfomsg header = {.ifi_index = index};
    begin(batch, RTM_SETLINK, 0, &header, sizeof header);
    put(batch, IFLA_IFALIAS, "floor:bench", 12);
    struct rtattr *families = put(batch, IFLA_AF_SPEC, NULL, 0);
    struct rtattr *ipv4 = put(batch, AF_INET, NULL, 0);
    struct rtattr *values = put(batch, IFLA_INET_CONF, NULL, 0);
    put_u32(batch, 4 /* IPV4_DEVCONF_PROXY_ARP */, 1);
    put_u32(batch, 1 /* IPV4_DEVCONF_FORWARDING */, 1);
    put_u32(batch, 8 /* IPV4_DEVCONF_RP_FILTER */, 1);
    end(batch, values);
    end(batch, ipv4);
    end(batch, families);
    struct ndtmsg table = {.ndtm_family = AF_INET};
    uint64_t none = 0;
    begin(batch, RTM_SETNEIGHTBL, 0, &table, sizeof table);
    put(batch, NDTA_NAME, "arp_cache", 10);
    struct rtattr *parameters = put(batch, NDTA_PARMS, NULL, 0);
    put_u32(batch, NDTPA_IFINDEX, (uint32_t)index);
    put(batch, NDTPA_PROXY_DELAY, &none, sizeof none);
    end(batch, parameters);
}

static void put_route(struct batch *batch, int index, uint32_t to, int length, uint32_t via, int protocol) {
    struct rtmsg header = {
        .rtm_family = AF_INET, .rtm_dst_len = (unsigned char)length, .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = (unsigned char)protocol, .rtm_type = RTN_UNICAST,
        .rtm_scope = via != 0 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK};
    begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
    if (length > 0) put(batch, RTA_DST, &to, sizeof to);
    if (via != 0) put(batch, RTA_GATEWAY, &via, sizeof via);
    put_u32(batch, RTA_OIF, (uint32_t)index);
}

static void put_neighbour(struct batch *batch, int index, uint32_t address, const unsigned char *mac) {
    struct ndmsg header = {.ndm_family = AF_INET, .ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
    begin(batch, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
    put(batch, NDA_DST, &address, sizeof address);
    put(batch, NDA_LLADDR, mac, 6);
}

static void put_pod_settings(struct batch *batch, int index, uint32_t address) {
    const uint32_t gateway = htonl(0xa9fe0101);
    struct ifinfomsg up = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(batch, RTM_SETLINK, 0, &up, sizeof up);
    put_route(batch, index, gateway, 32, 0, RTPROT_BOOT);
    put_route(batch, index, 0, 0, gateway, RTPROT_BOOT);
    put_neighbour(batch, index, gateway, host_mac);
    struct ifaddrmsg header = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = (uint32_t)index};
    begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
    put(batch, IFA_LOCAL, &address, sizeof address);
    put(batch, IFA_ADDRESS, &address, sizeof address);
}

static int open_socket_in(int pod) {
    int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(pod, CLONE_NEWNET) != 0) return -1;
    int socket = open_socket();
    if (setns(own, CLONE_NEWNET) != 0) abort();
    close(own);
    return socket;
}

int floor_add(int pod, const char *host_name, uint32_t address) {
    struct batch batch = {.length = 0};
    int host_socket = open_socket(), pod_socket = open_socket_in(pod);
    if (host_socket < 0 || pod_socket < 0) return -errno;
    put_pair(&batch, host_name, pod);
    int result = flush(host_socket, &batch);
    int host_index = result == 0 ? index_of(host_socket, host_name) : result;
    int pod_index = host_index > 0 ? index_of(pod_socket, "eth0") : host_index;
    if (pod_index > 0) {
        put_host_settings(&batch, host_index);
        result = flush(host_socket, &batch);
    } else {
        result = pod_index;
    }
    if (result == 0) {
        put_pod_settings(&batch, pod_index, address);
        result = flush(pod_socket, &batch);
    }
    if (result == 0) {
        struct ifreq hardware = {0};
        snprintf(hardware.ifr_name, sizeof hardware.ifr_name, "eth0");
        ioctl(pod_socket, SIOCGIFHWADDR, &hardware);
        put_route(&batch, host_index, address, 32, 0, 97);
        put_neighbour(&batch, host_index, address, (unsigned char *)hardware.ifr_hwaddr.sa_data);
        result = flush(host_socket, &batch);
    }
    close(host_socket);
    close(pod_socket);
    return result;
}

int floor_delete(const char *host_name) {
    struct batch batch = {.length = 0};
    struct ifinfomsg header = {0};
    int socket = open_socket();
    begin(&batch, RTM_DELLINK, 0, &header, sizeof header);
    put(&batch, IFLA_IFNAME, host_name, strlen(host_name) + 1);
    int result = flush(socket, &batch);
    close(socket);
    return result;
}

int floor_main(int count, char **arguments) {
    int result = -EINVAL;
    if (count == 1 && strcmp(arguments[0], "version") == 0) result = 0;
    if (count == 4 && strcmp(arguments[0], "add") == 0) {
        int pod = open(arguments[1], O_RDONLY | O_CLOEXEC);
        result = pod < 0 ? -errno : floor_add(pod, arguments[2], htonl((uint32_t)strtoul(arguments[3], NULL, 10)));
    }
    if (count == 2 && strcmp(arguments[0], "del") == 0) result = floor_delete(arguments[1]);
    if (result < 0) fprintf(stderr, "floor %s: %s\n", count > 0 ? arguments[0] : "?", strerror(-result));
    return result < 0;
}
