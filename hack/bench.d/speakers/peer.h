/* The peers of bgpload: their state, and the messages they send. */
#pragma once
#define _GNU_SOURCE
#include "universe.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#define RB 131072
#define NP_MAX 4096
typedef struct {
    uint32_t ip, as, lo, hi;
    int hold, send, recv, fd, st, silent, bfd, bst; /* st: 0 idle 1 connecting 2 open sent 3 up 4 dead */
    uint8_t *rb;
    uint32_t rl;
    uint8_t *ob;
    size_t ol, oc, oo;
    double next, ka, bnext;
    uint32_t bdisc;
    uint64_t *have;
    uint32_t nhave, nwrong;
    double tdone;
} Peer;
static Peer *P;
static int NP, ep, bfdfd = -1, chkrr, gr;
static uint32_t dutip, dutas;
static int dutport;
static uint64_t *W; /* wanted keys = what live peers announce at this moment */
static uint64_t n_unexp, n_badattr, n_upd, n_nlri, n_wd, n_loop;
static char ex_unexp[64], ex_attr[64];
static double t0;
static int waiting, nup, nready_sent, burst_limit = 10;
static double tstart;
static int ch_p = -1;
static double ch_rate, ch_end, ch_last, ch_acc;
static uint32_t ch_pos, ch_wpos;
static uint64_t ch_n;
#define BIT(m, k) ((m)[(k) >> 6] >> ((k) & 63) & 1)
static inline int want(Peer *p, uint32_t k) { return BIT(W, k) && !(p->send && k >= p->lo && k < p->hi); }
static void p16(uint8_t *b, uint32_t v) {
    b[0] = v >> 8;
    b[1] = v;
}
static void p32(uint8_t *b, uint32_t v) {
    p16(b, v >> 16);
    p16(b + 2, v);
}
static uint32_t g16(const uint8_t *b) { return b[0] << 8 | b[1]; }
static uint32_t g32(const uint8_t *b) { return g16(b) << 16 | g16(b + 2); }

static void arm(Peer *p) {
    struct epoll_event e = {p->ol > p->oo || p->st == 1 ? EPOLLIN | EPOLLOUT : EPOLLIN, {.u32 = (uint32_t)(p - P)}};
    epoll_ctl(ep, EPOLL_CTL_MOD, p->fd, &e);
}
static void drop(Peer *p, const char *why) {
    int was = p->st;
    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
    p->rl = 0;
    p->ol = p->oo = 0;
    if (was == 3) {
        nup--;
        p->st = 4;
        printf("{\"ev\":\"down\",\"peer\":%d,\"why\":\"%s\",\"t\":%.6f}\n", (int)(p - P), why, now());
        fflush(stdout);
    } else {
        p->st = 0;
        p->next = now() + 0.1;
    }
}
static void put(Peer *p, const void *d, size_t n) {
    if (p->ol + n > p->oc) {
        p->oc = (p->ol + n) * 2;
        p->ob = realloc(p->ob, p->oc);
    }
    memcpy(p->ob + p->ol, d, n);
    p->ol += n;
}
static void flush_(Peer *p) {
    while (p->oo < p->ol) {
        ssize_t r = send(p->fd, p->ob + p->oo, p->ol - p->oo > 262144 ? 262144 : p->ol - p->oo, MSG_NOSIGNAL);
        if (r < 0) {
            if (errno != EAGAIN) {
                drop(p, "send");
                return;
            }
            break;
        }
        p->oo += r;
    }
    if (p->oo == p->ol) p->oo = p->ol = 0;
    arm(p);
}
static void msg(Peer *p, int type, const uint8_t *body, int n) {
    uint8_t m[4096];
    memset(m, 255, 16);
    p16(m + 16, 19 + n);
    m[18] = type;
    memcpy(m + 19, body, n);
    put(p, m, 19 + n);
}
static void conn(Peer *p) {
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1;
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(p->ip)},
                       d = {.sin_family = AF_INET, .sin_port = htons(dutport), .sin_addr.s_addr = htonl(dutip)};
    if (bind(p->fd, (void *)&a, sizeof a)) {
        perror("bind");
        exit(2);
    }
    struct epoll_event e = {EPOLLIN | EPOLLOUT, {.u32 = (uint32_t)(p - P)}};
    epoll_ctl(ep, EPOLL_CTL_ADD, p->fd, &e);
    p->st = 1;
    p->next = now() + 3;
    if (connect(p->fd, (void *)&d, sizeof d) && errno != EINPROGRESS) drop(p, "connect");
}
static void open_(Peer *p) {
    uint8_t b[64];
    int n = 10;
    b[0] = 4;
    p16(b + 1, p->as > 65535 ? 23456 : p->as);
    p16(b + 3, p->hold);
    p32(b + 5, p->ip);
    uint8_t caps[] = {1, 4, 0, 1, 0, 1, 2, 0, 65, 4, 0, 0, 0, 0, 64, 6, 0, 120, 0, 1, 1, 0};
    p32(caps + 10, p->as);
    int cl = gr ? 22 : 14;
    b[n++] = 2;
    b[n++] = cl;
    memcpy(b + n, caps, cl);
    n += cl;
    b[9] = n - 10;
    msg(p, 1, b, n);
    p->st = 2;
    flush_(p);
}
static int attrs(Peer *p, uint32_t set, uint8_t *b) {
    int n = 0, np = 0;
    uint32_t path[8];
    int ibgp = p->as == dutas;
    if (!ibgp) path[np++] = p->as;
    if (U_net) {
        path[np++] = 3000 + set % 50;
        path[np++] = 20000 + set * 7 % 3000;
        if (set % 3) path[np++] = 40000 + set * 13 % 9000;
        path[np++] = 1000000 + set;
    }
    b[n++] = 0x40;
    b[n++] = 1;
    b[n++] = 1;
    b[n++] = 0;
    b[n++] = 0x40;
    b[n++] = 2;
    b[n++] = np ? 2 + 4 * np : 0;
    if (np) {
        b[n++] = 2;
        b[n++] = np;
    }
    for (int i = 0; i < np; i++, n += 4) p32(b + n, path[i]);
    b[n++] = 0x40;
    b[n++] = 3;
    b[n++] = 4;
    p32(b + n, p->ip);
    n += 4;
    if (U_net && set % 4 == 0) {
        b[n++] = 0x80;
        b[n++] = 4;
        b[n++] = 4;
        p32(b + n, set % 100);
        n += 4;
    }
    if (ibgp) {
        b[n++] = 0x40;
        b[n++] = 5;
        b[n++] = 4;
        p32(b + n, 100);
        n += 4;
    }
    int nc = U_net ? set % 6 : 0;
    if (nc) {
        b[n++] = 0xc0;
        b[n++] = 8;
        b[n++] = 4 * nc;
        for (int i = 0; i < nc; i++, n += 4) p32(b + n, 3000u << 16 | (set * 31 + i * 97) % 5000);
    }
    return n;
}
static void updates(Peer *p, uint32_t lo, uint32_t hi, int wd) { /* queue UPDATEs for keys [lo,hi) */
    uint8_t b[4096];
    uint32_t k = lo;
    while (k < hi) {
        int n = 2, al = 0, start;
        uint32_t set = k / 10;
        if (!wd) {
            p16(b, 0);
            al = attrs(p, U_net ? set : 0, b + 4);
            p16(b + 2, al);
            n = 4 + al;
        }
        for (start = n; k < hi && n < 4096 - 19 - 8 && (wd || !U_net || k / 10 == set); k++) {
            int l;
            uint32_t ip = u_pfx(k, &l);
            b[n++] = l;
            b[n++] = ip >> 24;
            b[n++] = ip >> 16;
            b[n++] = ip >> 8;
            if (l > 24) b[n++] = ip;
        }
        if (wd) {
            p16(b, n - start);
            p16(b + n, 0);
            n += 2;
        }
        msg(p, 2, b, n);
    }
}
