/* fibmon UNI N: follows the kernel IPv4 main table by RTNL notifications (exact set, time of the last change),
 * cross-checked by dump. stdin: want LO HI | check (fresh dump, exact compare) | quit. stdout: JSON lines. */
#define _GNU_SOURCE
#include "universe.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
static uint8_t *cnt;
static uint32_t lo, hi, nhave, nwrong;
static int waiting, lost;
static uint32_t minhave;
static double short_s, short_since;
static uint64_t adds, dels, foreign;
static void recount(uint8_t *c, uint32_t *have, uint32_t *wrong) {
    *have = *wrong = 0;
    for (uint32_t k = 0; k < U_n; k++) {
        int h = !!c[k];
        *have += h;
        *wrong += h != (k >= lo && k < hi);
    }
}
static void have(uint32_t n) { /* number of wanted routes present; keeps the worst and the time below full */
    uint32_t full = hi - lo, o = nhave;
    nhave = n;
    if (n < minhave) minhave = n;
    if (o == full && n < full) short_since = now();
    if (o < full && n == full && short_since) {
        short_s += now() - short_since;
        short_since = 0;
    }
}
static void apply(struct nlmsghdr *h, uint8_t *c, int live) {
    struct rtmsg *r = NLMSG_DATA(h);
    int l = RTM_PAYLOAD(h);
    uint32_t dst = 0, table = r->rtm_table;
    if (r->rtm_family != AF_INET || r->rtm_flags & RTM_F_CLONED) return;
    for (struct rtattr *a = RTM_RTA(r); RTA_OK(a, l); a = RTA_NEXT(a, l)) {
        if (a->rta_type == RTA_DST) dst = ntohl(*(uint32_t *)RTA_DATA(a));
        if (a->rta_type == RTA_TABLE) table = *(uint32_t *)RTA_DATA(a);
    }
    if (table != RT_TABLE_MAIN) return;
    int64_t k = u_key(dst, r->rtm_dst_len);
    if (k < 0) {
        if (dst >= BASE && dst < 0x28000000u && live) foreign++;
        return;
    }
    int add = h->nlmsg_type == RTM_NEWROUTE, was = !!c[k];
    if (add) {
        if (!(live && h->nlmsg_flags & NLM_F_REPLACE && was)) c[k]++;
    } else if (c[k])
        c[k]--;
    if (!live) return;
    if (add)
        adds++;
    else
        dels++;
    int is = !!c[k];
    if (is == was) return;
    int wk = (uint32_t)k >= lo && (uint32_t)k < hi;
    nwrong += is == wk ? -1 : 1;
    if (wk) have(nhave + (is ? 1 : -1));
}
static int dump(uint8_t *c) {
    static char b[1 << 18];
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), n = 0;
    struct {
        struct nlmsghdr h;
        struct rtmsg r;
    } q = {{sizeof q, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {.rtm_family = AF_INET}};
    send(s, &q, sizeof q, 0);
    for (;;) {
        int l = recv(s, b, sizeof b, 0);
        if (l <= 0) break;
        for (struct nlmsghdr *h = (void *)b; NLMSG_OK(h, (unsigned)l); h = NLMSG_NEXT(h, l)) {
            if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
                close(s);
                return n;
            }
            if (h->nlmsg_type == RTM_NEWROUTE) {
                apply(h, c, 0);
                n++;
            }
        }
    }
    close(s);
    return n;
}
static void resync(void) { /* the kernel drops routes without RTM_DELROUTE when their nexthop object or device goes */
    memset(cnt, 0, U_n);
    dump(cnt);
    uint32_t x, n = 0;
    recount(cnt, &x, &nwrong);
    for (uint32_t k = lo; k < hi; k++) n += !!cnt[k];
    have(n);
}
static void report(const char *ev, double t) {
    uint8_t *c = calloc(U_n, 1);
    dump(c);
    uint32_t h, w, in = 0, stale = 0;
    recount(c, &h, &w);
    char ex[64] = "";
    for (uint32_t k = 0; k < U_n; k++) {
        int wk = k >= lo && k < hi;
        if (c[k] && wk) in++;
        if (c[k] && !wk) stale++;
        if (!!c[k] != wk && !ex[0]) {
            int l;
            uint32_t ip = u_pfx(k, &l);
            snprintf(ex, sizeof ex, "%s %s", wk ? "missing" : "stale", u_str(ip, l));
        }
    }
    if (short_since) {
        short_s += now() - short_since;
        short_since = now();
    }
    printf("{\"ev\":\"%s\",\"t\":%.6f,\"missing\":%u,\"stale\":%u,\"min_have\":%u,\"short_s\":%.6f,\"adds\":%lu,"
           "\"dels\":%lu,\"foreign\":%lu,\"overrun\":%d,\"nwrong\":%u,\"sample\":\"%s\"}\n",
           ev, t, hi - lo - in, stale, minhave, short_s, adds, dels, foreign, lost, nwrong, ex);
    fflush(stdout);
    free(c);
}
int main(int c, char **v) {
    if (c < 3) return 2;
    u_init(v[1], atoi(v[2]));
    cnt = calloc(U_n, 1);
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), sz = 1 << 29;
    setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &sz, sizeof sz);
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE};
    if (bind(s, (void *)&a, sizeof a)) return 3;
    dump(cnt);
    recount(cnt, &nhave, &nwrong);
    printf("{\"ev\":\"start\",\"have\":%u}\n", nhave);
    fflush(stdout);
    static char b[1 << 20];
    char line[256];
    int ll = 0;
    struct pollfd p[2] = {{0, POLLIN, 0}, {s, POLLIN, 0}};
    for (;;) {
        if (!poll(p, 2, waiting ? 100 : -1)) resync();
        if (p[1].revents)
            for (int i = 0; i < 256; i++) {
                int l = recv(s, b, sizeof b, MSG_DONTWAIT);
                if (l < 0) {
                    if (errno == ENOBUFS) lost++;
                    break;
                }
                for (struct nlmsghdr *h = (void *)b; NLMSG_OK(h, (unsigned)l); h = NLMSG_NEXT(h, l))
                    if (h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE) apply(h, cnt, 1);
            }
        if (waiting && !nwrong && (U_n > 20000 || (resync(), !nwrong))) {
            waiting = 0;
            report("reached", now());
        }
        if (p[0].revents) {
            int r = read(0, line + ll, sizeof line - 1 - ll);
            if (r <= 0) return 0;
            ll += r;
            line[ll] = 0;
            char *nl;
            while ((nl = strchr(line, '\n'))) {
                *nl = 0;
                if (sscanf(line, "want %u %u", &lo, &hi) == 2) {
                    uint32_t x;
                    recount(cnt, &x, &nwrong);
                    nhave = 0;
                    for (uint32_t k = lo; k < hi; k++) nhave += !!cnt[k];
                    minhave = nhave;
                    short_s = 0;
                    short_since = 0;
                    adds = dels = 0;
                    waiting = 1;
                } else if (!strncmp(line, "check", 5))
                    report("check", now());
                else if (!strncmp(line, "quit", 4))
                    return 0;
                ll -= nl + 1 - line;
                memmove(line, nl + 1, ll + 1);
            }
        }
    }
}
