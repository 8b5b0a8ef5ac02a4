#define _GNU_SOURCE
#include "CLinuxShim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <stddef.h>

int clinux_setns(int fd, int nstype) { return setns(fd, nstype); }

int clinux_unshare(int flags) { return unshare(flags); }

void clinux_share_heap(void) { mallopt(M_ARENA_MAX, 1); }

const char *clinux_strerrordesc(int error) { return strerrordesc_np(error); }

const char *clinux_strerrorname(int error) { return strerrorname_np(error); }

int clinux_peer_credentials(int fd, int *pid, unsigned int *uid, unsigned int *gid) {
    struct ucred credentials = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t length = sizeof credentials;
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return result;
}

int clinux_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int clinux_accept_waiting(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC); }

long clinux_send_packet(int fd, const void *bytes, size_t length, int descriptor) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_LEN(sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

long clinux_receive_packet(int fd, void *bytes, size_t length, int *descriptor) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))};
    *descriptor = -1;
    long count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    /* There is room for one descriptor and no more, with padding neither: the kernel keeps the others to itself. */
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one != NULL; one = CMSG_NXTHDR(&message, one)) {
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_RIGHTS && one->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(descriptor, CMSG_DATA(one), sizeof(int));
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        if (*descriptor >= 0) close(*descriptor);
        *descriptor = -1;
        errno = EMSGSIZE;
        return -1;
    }
    return count;
}

int clinux_finish_sending(int fd) { return shutdown(fd, SHUT_WR); }

int clinux_peer_state(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLRDHUP};
    if (poll(&entry, 1, 0) <= 0) return 0;
    if (entry.revents & (POLLHUP | POLLERR)) return 2;
    return entry.revents & POLLRDHUP ? 1 : 0;
}

long clinux_packet_length(int fd) { return recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC); }

int clinux_unread_output(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) == 0 ? count : -1;
}

int clinux_socket_timeouts(int fd, long receive_ms, long send_ms) {
    const struct timeval receive = {.tv_sec = receive_ms / 1000, .tv_usec = receive_ms % 1000 * 1000};
    const struct timeval sending = {.tv_sec = send_ms / 1000, .tv_usec = send_ms % 1000 * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive) != 0) return -1;
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &sending, sizeof sending);
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

char **clinux_environ(void) { return environ; }

int clinux_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_pidfd(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int clinux_reap(int pid, int *code, int *signal) {
    int status = 0;
    int result = waitpid(pid, &status, 0);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return result;
}

void clinux_default_sigchld(void) { signal(SIGCHLD, SIG_DFL); }

int clinux_ignores_sigpipe(void) {
    struct sigaction action;
    return sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void clinux_handle_sigpipe(int is_ignored) { signal(SIGPIPE, is_ignored ? SIG_IGN : SIG_DFL); }

int clinux_link_name(int fd, unsigned int index, char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_ifindex = (int)index;
    int result = ioctl(fd, SIOCGIFNAME, &request);
    if (result == 0) memcpy(name, request.ifr_name, IFNAMSIZ);
    return result;
}

int clinux_spawn_detached(int *pid, const char *path, char *const arguments[]) {
    char *no_variables[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (error == 0) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    if (error == 0) error = posix_spawn(pid, path, &actions, &attributes, arguments, no_variables);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int clinux_spawn_bound(int *pid, const char *path, char *const arguments[], char *const variables[], int input,
                       int output) {
    const pid_t caller = getpid();
    volatile int error = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = vfork();
    if (child == 0) {
        /* Who has lost its parent before the first call is told by the second. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) goto failed;
        if (getppid() != caller) _exit(127);
        if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0) goto failed;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        execve(path, arguments, variables);
    failed:
        error = errno;
        _exit(127);
    }
    if (child < 0) error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child > 0 && error != 0) waitpid(child, NULL, 0);
    *pid = child;
    return error;
}

int clinux_link_index(int socket, const char *name) {
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    return ioctl(socket, SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : -1;
}

int clinux_namespace_kind(int namespace) { return ioctl(namespace, NS_GET_NSTYPE); }

int clinux_socket_netns(int socket) { return ioctl(socket, SIOCGSKNS); }

int clinux_tx_checksum(int socket, const char *name, int wanted) {
    struct ifreq request = {0};
    struct ethtool_value value = {.cmd = wanted < 0 ? ETHTOOL_GTXCSUM : ETHTOOL_STXCSUM, .data = wanted > 0};
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    request.ifr_data = (void *)&value;
    if (ioctl(socket, SIOCETHTOOL, &request) != 0) return -1;
    return value.data != 0;
}

int clinux_tcp_md5(int fd, const unsigned char *address, size_t address_length, const unsigned char *key,
                   size_t key_length) {
    struct tcp_md5sig request;
    memset(&request, 0, sizeof request);
    if (key_length > sizeof request.tcpm_key) {
        errno = EINVAL;
        return -1;
    }
    if (address_length == sizeof(struct in_addr)) {
        struct sockaddr_in *peer = (struct sockaddr_in *)&request.tcpm_addr;
        peer->sin_family = AF_INET;
        memcpy(&peer->sin_addr, address, address_length);
    } else if (address_length == sizeof(struct in6_addr)) {
        struct sockaddr_in6 *peer = (struct sockaddr_in6 *)&request.tcpm_addr;
        peer->sin6_family = AF_INET6;
        memcpy(&peer->sin6_addr, address, address_length);
    } else {
        errno = EAFNOSUPPORT;
        return -1;
    }
    request.tcpm_keylen = (unsigned short)key_length;
    if (key_length > 0) memcpy(request.tcpm_key, key, key_length);
    return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &request, sizeof request);
}

int clinux_epoll_control(int epoll, int operation, int fd, unsigned int events, unsigned long long token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, fd, &event);
}

int clinux_epoll_wait(int epoll, unsigned long long tokens[64], unsigned int events[64], int milliseconds) {
    struct epoll_event ready[64];
    int count = epoll_wait(epoll, ready, 64, milliseconds);
    for (int i = 0; i < count; i++) {
        tokens[i] = ready[i].data.u64;
        events[i] = ready[i].events;
    }
    return count;
}

void clinux_exact_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

int clinux_ip_minttl(void) { return IP_MINTTL; }

int clinux_ipv6_minhopcount(void) { return IPV6_MINHOPCOUNT; }

int clinux_require_octet(int fd, unsigned int place, unsigned char value) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (unsigned int)SKF_NET_OFF + place),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int clinux_ignore_netlink_port(int fd, unsigned int port) {
    /* A load takes octets in network order, and the kernel wrote the port in the host's. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
