/* Prefix universe shared by bgpload and fibmon: an invertible map key <-> prefix, so that every
 * received route / kernel route is checked against the exact expected set with bit arithmetic.
 *  pod: key k -> /26 block  16.0.0.0 + 64*k                      (cluster case, one attribute set per peer)
 *  net: key k -> scattered mix of /20../24, overlapping          (internet case, 10 prefixes per attribute set) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#define BASE 0x10000000u
static int U_net;
static uint32_t U_n;
static uint64_t U_a, U_inv;
static const struct {
    uint8_t len, off;
} U_slot[16] = {{20, 0}, {21, 8}, {22, 0}, {22, 12}, {23, 4}, {23, 10}, {24, 0}, {24, 1},
                {24, 2}, {24, 3}, {24, 4}, {24, 5},  {24, 6}, {24, 7},  {24, 8}, {24, 9}};
static int8_t U_islot[5][16];
static uint64_t u_gcd(uint64_t a, uint64_t b) { return b ? u_gcd(b, a % b) : a; }
static void u_init(const char *kind, uint32_t n) {
    U_net = !strcmp(kind, "net");
    U_n = n ? n : 1;
    memset(U_islot, -1, sizeof U_islot);
    for (int i = 0; i < 16; i++) U_islot[U_slot[i].len - 20][U_slot[i].off] = i;
    for (U_a = 611953; u_gcd(U_a % U_n, U_n) != 1 && U_n > 1; U_a++);
    int64_t t = 0, nt = 1, r = U_n, nr = U_a % U_n;
    while (nr) {
        int64_t q = r / nr, x = t - q * nt;
        t = nt;
        nt = x;
        x = r - q * nr;
        r = nr;
        nr = x;
    }
    U_inv = (uint64_t)(t < 0 ? t + (int64_t)U_n : t) % U_n;
}
static inline uint32_t u_pfx(uint32_t k, int *len) {
    if (!U_net) {
        *len = 26;
        return BASE + k * 64;
    }
    uint32_t i = (uint32_t)(k * U_a % U_n), s = i & 15;
    *len = U_slot[s].len;
    return BASE + (i >> 4) * 4096 + U_slot[s].off * 256u;
}
static inline int64_t u_key(uint32_t ip, int len) { /* -1: not a prefix of this universe */
    uint32_t d = ip - BASE;
    uint64_t i;
    if (!U_net) return len == 26 && !(d & 63) && (d >> 6) < U_n ? (int64_t)(d >> 6) : -1;
    if (len < 20 || len > 24 || (d & 255)) return -1;
    int s = U_islot[len - 20][(d >> 8) & 15];
    if (s < 0 || (i = (uint64_t)(d >> 12) * 16 + s) >= U_n) return -1;
    return (int64_t)(i * U_inv % U_n);
}
static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
static const char *u_str(uint32_t ip, int len) {
    static char b[40];
    snprintf(b, sizeof b, "%u.%u.%u.%u/%d", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, len);
    return b;
}
