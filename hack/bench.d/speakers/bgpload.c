/* bgpload: many BGP peers in one epoll process: traffic generator + verifying receiver.
 *   bgpload DUTIP PORT DUTAS UNI N FLAGS GROUP...
 *   GROUP = ip,count,asn,roles,firstkey,keysPerPeer,hold[,b]  roles: s (announces) r (verifies) sr; b: speaks BFD
 *   FLAGS = letters: g graceful-restart capability, h check NEXT_HOP+ORIGINATOR_ID (reflection), c connect all at
 *   once instead of 500 a second, - none
 * stdin commands: go LO HI (announce keys in [LO,HI), each by its owner) | withdraw | rst PEER | silent PEER |
 *   churn PEER RATE SECS | check | quit.      stdout: one JSON object per line; t = CLOCK_MONOTONIC. */
#include "peer.h"

static void status(const char *ev, double t) {
    uint64_t miss = 0, extra = 0;
    char ex[64] = "";
    int bad = 0;
    double first = 0;
    for (int i = 0; i < NP; i++) {
        Peer *p = P + i;
        if (!p->recv) continue;
        if (p->nwrong) bad++;
        if (p->tdone && (!first || p->tdone < first)) first = p->tdone;
        if (p->nwrong)
            for (uint32_t k = 0; k < U_n; k++) {
                int w = want(p, k), h = BIT(p->have, k);
                if (w == h) continue;
                if (w)
                    miss++;
                else
                    extra++;
                if (!ex[0]) {
                    int l;
                    uint32_t ip = u_pfx(k, &l);
                    snprintf(ex, sizeof ex, "%s %s", w ? "missing" : "stale", u_str(ip, l));
                }
            }
    }
    printf("{\"ev\":\"%s\",\"t0\":%.6f,\"t\":%.6f,\"first\":%.6f,\"up\":%d,\"missing\":%lu,\"stale\":%lu,\"bad_"
           "receivers\":%d,\"unexpected\":%lu,\"bad_attr\":%lu,"
           "\"updates\":%lu,\"nlri\":%lu,\"withdrawn\":%lu,\"churned\":%lu,\"looped\":%lu,\"sample\":\"%s %s %s\"}\n",
           ev, t0, t, first, nup, miss, extra, bad, n_unexp, n_badattr, n_upd, n_nlri, n_wd, ch_n, n_loop, ex, ex_unexp,
           ex_attr);
    fflush(stdout);
}
static void retarget(void) { /* W changed: recount wrong keys per receiver */
    for (int i = 0; i < NP; i++) {
        Peer *p = P + i;
        if (!p->recv) continue;
        p->tdone = 0;
        p->nwrong = 0;
        for (uint32_t k = 0; k < U_n; k++) p->nwrong += want(p, k) != (int)BIT(p->have, k);
    }
    waiting = 1;
}
static void done_check(Peer *p) {
    if (p->nwrong || !waiting) return;
    p->tdone = now();
    for (int i = 0; i < NP; i++)
        if (P[i].recv && P[i].st != 4 && P[i].nwrong) return;
    waiting = 0;
    status("done", p->tdone);
}
static void route(Peer *p, const uint8_t *b, int l, int add, uint32_t origin, uint32_t nh, int attrok) {
    uint32_t ip = (uint32_t)b[0] << 24 | (l > 8 ? b[1] << 16 : 0) | (l > 16 ? b[2] << 8 : 0) | (l > 24 ? b[3] : 0);
    int64_t k = u_key(ip, l);
    if (k < 0) {
        if (add && !n_unexp++) snprintf(ex_unexp, sizeof ex_unexp, "unexpected %s", u_str(ip, l));
        return;
    }
    if (add) {
        n_nlri++;
        if (U_net && origin != 1000000 + k / 10) attrok = 0;
        if (chkrr && P[k / (P[0].hi - P[0].lo)].ip != nh) attrok = 0; /* reflection must keep the owner's NEXT_HOP */
        if (!attrok && !n_badattr++) snprintf(ex_attr, sizeof ex_attr, "badattr %s", u_str(ip, l));
    } else
        n_wd++;
    uint64_t m = 1ull << (k & 63), *w = p->have + (k >> 6);
    if (!!(*w & m) == add) return;
    *w ^= m;
    p->nhave += add ? 1 : -1;
    p->nwrong += want(p, k) == add ? -1 : 1;
}
static int update(Peer *p, const uint8_t *b, int n) {
    int wl = g16(b), al, i;
    if (wl + 4 > n) return -1;
    n_upd++;
    for (i = 2; i < 2 + wl; i += 1 + (b[i] + 7) / 8) route(p, b + i + 1, b[i], 0, 0, 0, 1);
    al = g16(b + i);
    i += 2;
    int e = i + al;
    if (e > n) return -1;
    uint32_t origin = 0, nh = 0, orig = 0;
    int seen = 0;
    while (i < e) {
        int f = b[i], t = b[i + 1], l = f & 16 ? (int)g16(b + i + 2) : b[i + 2];
        i += f & 16 ? 4 : 3;
        if (i + l > e) return -1;
        if (t < 8) seen |= 1 << t;
        if (t == 2 && l >= 6) origin = g32(b + i + l - 4);
        if (t == 3) nh = g32(b + i);
        if (t == 9) orig = g32(b + i);
        i += l;
    }
    if (orig == p->ip && i < n) {
        n_loop++;
        return 0;
    }                                               /* own route reflected back: RFC 4456 says ignore */
    int ok = (seen & 14) == 14 && (!chkrr || orig); /* ORIGIN, AS_PATH, NEXT_HOP are mandatory */
    for (; i < n; i += 1 + (b[i] + 7) / 8) route(p, b + i + 1, b[i], 1, origin, nh, ok);
    return 0;
}
static void input(Peer *p) {
    for (int rounds = 0; rounds < 4; rounds++) {
        ssize_t r = recv(p->fd, p->rb + p->rl, RB - p->rl, 0);
        if (r <= 0) {
            if (r < 0 && errno == EAGAIN) return;
            drop(p, r ? strerror(errno) : "eof");
            return;
        }
        p->rl += r;
        uint32_t o = 0;
        while (p->rl - o >= 19) {
            uint8_t *m = p->rb + o;
            uint32_t l = g16(m + 16);
            if (l < 19 || l > 4096) {
                drop(p, "framing");
                return;
            }
            if (p->rl - o < l) break;
            if (m[18] == 1) {
                msg(p, 4, 0, 0);
                flush_(p);
                if (p->fd < 0) return;
                uint32_t h = g16(m + 22);
                if (h && h < (uint32_t)p->hold) p->hold = h;
            } else if (m[18] == 4 && p->st == 2) {
                p->st = 3;
                p->ka = now() + p->hold / 3.0;
                nup++;
            } else if (m[18] == 3) {
                static int once;
                if (!once++) fprintf(stderr, "peer %d: NOTIFICATION %d/%d\n", (int)(p - P), m[19], m[20]);
            } else if (m[18] == 2 && p->recv && update(p, m + 19, l - 19)) {
                drop(p, "bad UPDATE");
                return;
            }
            o += l;
        }
        memmove(p->rb, p->rb + o, p->rl -= o);
        if (p->recv) done_check(p);
    }
}
static void bfd_send(Peer *p, int final) { /* RFC 5880 control packet, 100 ms, multiplier 3 */
    uint8_t b[24] = {0x20, p->bst << 6 | final, 3, 24};
    p32(b + 4, p->ip);
    p32(b + 8, p->bdisc);
    p32(b + 12, 100000);
    p32(b + 16, 100000);
    struct sockaddr_in d = {.sin_family = AF_INET, .sin_port = htons(3784), .sin_addr.s_addr = htonl(dutip)};
    static int s = -1;
    if (s < 0) {
        s = socket(AF_INET, SOCK_DGRAM, 0);
        int ttl = 255;
        setsockopt(s, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(49152), .sin_addr.s_addr = htonl(p->ip)};
        if (bind(s, (void *)&a, sizeof a)) perror("bfd bind");
    }
    sendto(s, b, 24, 0, (void *)&d, sizeof d);
    p->bnext = now() + 0.085;
}
static void bfd_recv(Peer *p) {
    uint8_t b[64];
    while (recv(bfdfd, b, sizeof b, MSG_DONTWAIT) >= 24) {
        if (p->silent) continue;
        int st = b[1] >> 6, o = p->bst;
        p->bdisc = g32(b + 4);
        if (st == 1)
            p->bst = 2;
        else if (st >= 2 && p->bst >= 1)
            p->bst = 3;
        if (b[1] & 0x20) bfd_send(p, 0x10);
        if (o != p->bst) {
            printf("{\"ev\":\"bfd\",\"state\":%d,\"t\":%.6f}\n", p->bst, now());
            fflush(stdout);
            bfd_send(p, 0);
        }
    }
}
static void command(char *s) {
    int a = 0;
    uint32_t lo = 0, hi = 0;
    double r = 0, d = 0;
    if (sscanf(s, "go %u %u", &lo, &hi) == 2) {
        for (uint32_t k = 0; k < U_n; k++) {
            uint64_t m = 1ull << (k & 63);
            if (k >= lo && k < hi) W[k >> 6] |= m;
        }
        for (int i = 0; i < NP; i++) {
            Peer *p = P + i;
            if (!p->send) continue;
            uint32_t x = p->lo > lo ? p->lo : lo, y = p->hi < hi ? p->hi : hi;
            if (x < y) updates(p, x, y, 0);
            uint8_t eor[4] = {0};
            msg(p, 2, eor, 4);
        }
        retarget();
        t0 = now();
        printf("{\"ev\":\"go\",\"t\":%.6f}\n", t0);
        for (int i = 0; i < NP; i++)
            if (P[i].send) flush_(P + i);
    } else if (!strncmp(s, "withdraw", 8)) {
        for (int i = 0; i < NP; i++)
            if (P[i].send) updates(P + i, P[i].lo, P[i].hi, 1);
        memset(W, 0, (U_n + 63) / 64 * 8);
        retarget();
        t0 = now();
        printf("{\"ev\":\"go\",\"t\":%.6f}\n", t0);
        for (int i = 0; i < NP; i++)
            if (P[i].send) flush_(P + i);
    } else if (sscanf(s, "rst %d", &a) == 1 || sscanf(s, "silent %d", &a) == 1) {
        Peer *p = P + a;
        for (uint32_t k = p->lo; k < p->hi; k++) W[k >> 6] &= ~(1ull << (k & 63));
        retarget();
        t0 = now();
        if (*s == 'r') {
            struct linger l = {1, 0};
            setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
            drop(p, "rst");
        } else
            p->silent = 1;
        printf("{\"ev\":\"go\",\"t\":%.6f}\n", t0);
    } else if (sscanf(s, "churn %d %lf %lf", &a, &r, &d) == 3) {
        ch_p = a;
        ch_rate = r;
        ch_end = now() + d;
        ch_last = now();
        ch_pos = ch_wpos = P[a].lo;
        ch_acc = 0;
        ch_n = 0;
        waiting = 0;
        t0 = now();
    } else if (!strncmp(s, "check", 5))
        status("check", now());
    else if (!strncmp(s, "quit", 4))
        exit(0);
    fflush(stdout);
}
/* A flap = withdraw, re-announce on the next 20 ms tick; RATE flaps per second, round-robin over the peer's keys. */
static void churn(double t) {
    if (t - ch_last < 0.02) return;
    Peer *p = P + ch_p;
    if (ch_wpos != ch_pos) {
        updates(p, ch_wpos, ch_pos, 0);
        ch_wpos = ch_pos;
        if (ch_wpos >= p->hi) ch_pos = ch_wpos = p->lo;
    }
    if (t >= ch_end) {
        flush_(p);
        ch_p = -1;
        retarget();
        t0 = t;
        for (int i = 0; i < NP; i++)
            if (P[i].recv) {
                done_check(P + i);
                break;
            }
        return;
    }
    ch_acc += ch_rate * (t - ch_last);
    ch_last = t;
    uint32_t n = ch_acc;
    if (n > p->hi - ch_pos) n = p->hi - ch_pos;
    ch_acc -= n;
    ch_n += n;
    if (n) {
        updates(p, ch_pos, ch_pos + n, 1);
        ch_pos += n;
    }
    flush_(p);
}
int main(int c, char **v) {
    if (c < 8) {
        fprintf(stderr, "usage: see source\n");
        return 2;
    }
    dutip = ntohl(inet_addr(v[1]));
    dutport = atoi(v[2]);
    dutas = strtoul(v[3], 0, 10);
    u_init(v[4], atoi(v[5]));
    gr = !!strchr(v[6], 'g');
    chkrr = !!strchr(v[6], 'h');
    if (strchr(v[6], 'c')) burst_limit = NP_MAX;
    P = calloc(NP_MAX, sizeof *P);
    W = calloc(U_n / 64 + 1, 8);
    ep = epoll_create1(0);
    for (int i = 7; i < c; i++) {
        char ip[32], ro[8], bf[4] = "";
        int n, hold;
        uint32_t as, lo, per;
        if (sscanf(v[i], "%31[^,],%d,%u,%7[^,],%u,%u,%d,%3s", ip, &n, &as, ro, &lo, &per, &hold, bf) < 7) {
            fprintf(stderr, "bad group %s\n", v[i]);
            return 2;
        }
        for (int j = 0; j < n; j++) {
            Peer *p = P + NP++;
            p->ip = ntohl(inet_addr(ip)) + j;
            p->as = as;
            p->send = !!strchr(ro, 's');
            p->recv = !!strchr(ro, 'r');
            p->hold = hold;
            p->fd = -1;
            p->rb = malloc(RB);
            p->lo = lo + j * per;
            p->hi = p->lo + per;
            p->bfd = *bf == 'b';
            if (p->recv) p->have = calloc(U_n / 64 + 1, 8);
        }
    }
    for (int i = 0; i < NP; i++)
        if (P[i].bfd && bfdfd < 0) {
            bfdfd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
            P[i].bst = 1;
            struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(3784), .sin_addr.s_addr = htonl(P[i].ip)};
            if (bind(bfdfd, (void *)&a, sizeof a)) perror("bfd bind");
            struct epoll_event e = {EPOLLIN, {.u32 = 0x80000000u | i}};
            epoll_ctl(ep, EPOLL_CTL_ADD, bfdfd, &e);
        }
    fcntl(0, F_SETFL, O_NONBLOCK);
    struct epoll_event in = {EPOLLIN, {.u32 = 0x7fffffff}};
    epoll_ctl(ep, EPOLL_CTL_ADD, 0, &in);
    tstart = now();
    double scan = 0;
    char line[256];
    int ll = 0;
    struct epoll_event ev[256];
    for (;;) {
        int n = epoll_wait(ep, ev, 256, ch_p >= 0 ? 5 : 20);
        double t = now();
        for (int i = 0; i < n; i++) {
            uint32_t d = ev[i].data.u32;
            if (d == 0x7fffffff) {
                int r = read(0, line + ll, sizeof line - 1 - ll);
                if (r <= 0) {
                    if (r == 0 || errno != EAGAIN) return 0;
                    continue;
                }
                ll += r;
                line[ll] = 0;
                char *nl;
                while ((nl = strchr(line, '\n'))) {
                    *nl = 0;
                    command(line);
                    ll -= nl + 1 - line;
                    memmove(line, nl + 1, ll + 1);
                }
                continue;
            }
            if (d & 0x80000000u) {
                bfd_recv(P + (d & 0xffff));
                continue;
            }
            Peer *p = P + d;
            if (p->fd < 0) continue;
            if (p->st == 1 && ev[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
                int er = 0;
                socklen_t l = sizeof er;
                getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &er, &l);
                if (er) {
                    drop(p, "connect");
                    continue;
                }
                open_(p);
                if (p->fd < 0) continue;
            }
            if (p->silent) {
                epoll_ctl(ep, EPOLL_CTL_DEL, p->fd, 0);
                continue;
            }
            if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) input(p);
            if (p->fd >= 0 && ev[i].events & EPOLLOUT && p->st >= 2) flush_(p);
        }
        if (ch_p >= 0) churn(t);
        if (t - scan < 0.02) continue;
        scan = t;
        for (int i = 0, burst = 0; i < NP; i++) {
            Peer *p = P + i; /* at most 500 connects per second: small listen backlogs */
            if (p->st == 0 && t >= p->next && burst < burst_limit) {
                burst++;
                conn(p);
            } else if ((p->st == 1 || p->st == 2) && t >= p->next)
                drop(p, "timeout");
            if (p->st == 3 && !p->silent && t >= p->ka) {
                if (p->ol == p->oo) {
                    msg(p, 4, 0, 0);
                    flush_(p);
                }
                p->ka = t + p->hold / 3.0;
            }
            if (p->bfd && !p->silent && t >= p->bnext) bfd_send(p, 0);
        }
        if (nup == NP && !nready_sent) {
            nready_sent = 1;
            printf("{\"ev\":\"ready\",\"t\":%.6f,\"estab_s\":%.6f}\n", t, t - tstart);
            fflush(stdout);
        }
    }
}
