/* stream: streams that tell of every loss, UDP with sequence numbers, and TCP whose stalls are seen. In C, because it runs
 * in an emulated machine too.
 *
 *   stream udp-receive PORT              counts until SIGTERM, then prints "received N distinct M gap MS"
 *   stream udp-send ADDRESS PORT PPS     sends until SIGTERM, then prints "sent N refused M"
 *   stream tcp-receive PORT SECONDS      counts until SIGTERM, then prints "bytes N longest MS stalled N from I to I at I I I"
 *   stream tcp-send ADDRESS PORT PPS     sends ten full segments so many times a second until SIGTERM
 *
 * A gap is the longest time between two datagrams; a stalled interval is one of so many seconds without an octet, counted
 * from the boot, so that two streams can be compared. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Of so many stalled intervals it is told when they were. */
#define MAXIMUM_STALLS 4096
/* Numbers above are a sender gone wild; the bits of those below tell of duplicates. */
#define MAXIMUM_DATAGRAMS (1u << 24)
#define SECOND 1000000000ll

static volatile sig_atomic_t is_stopping;

static void stop(int number) {
    (void)number;
    is_stopping = 1;
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static void sleep_until(int64_t moment) {
    struct timespec time = {moment / SECOND, moment % SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int connected(int type, const char *address, const char *port) {
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int descriptor = socket(AF_INET, type, 0);
    if (inet_pton(AF_INET, address, &peer.sin_addr) != 1) fail(address);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&peer, sizeof peer) != 0) fail("connect");
    return descriptor;
}

static int bound(int type, const char *port) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int descriptor = socket(AF_INET, type, 0), yes = 1, octets = 4 << 20;
    if (descriptor < 0) fail("socket");
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (type == SOCK_DGRAM) {
        /* A signal that comes just before recv ends nothing. */
        struct timeval patience = {0, 100000};
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    if (bind(descriptor, (struct sockaddr *)&own, sizeof own) != 0) fail("bind");
    return descriptor;
}

static void ready(void) {
    puts("ready");
    fflush(stdout);
}

static void udp_receive(const char *port) {
    int descriptor = bound(SOCK_DGRAM, port);
    uint8_t *seen = calloc(MAXIMUM_DATAGRAMS / 8, 1);
    uint64_t count = 0, distinct = 0, number;
    int64_t last = 0, gap = 0;
    if (!seen) fail("calloc");
    ready();
    while (!is_stopping) {
        if (recv(descriptor, &number, sizeof number, MSG_TRUNC) < (ssize_t)sizeof number) continue;
        int64_t moment = now();
        if (last && moment - last > gap) gap = moment - last;
        last = moment;
        count++;
        number = be64toh(number);
        if (number >= MAXIMUM_DATAGRAMS) continue;
        if (!(seen[number / 8] >> number % 8 & 1)) distinct++;
        seen[number / 8] |= (uint8_t)(1 << number % 8);
    }
    printf("received %" PRIu64 " distinct %" PRIu64 " gap %" PRId64 "\n", count, distinct, gap / 1000000);
}

static void udp_send(const char *address, const char *port, int64_t rate) {
    int descriptor = connected(SOCK_DGRAM, address, port);
    char datagram[64] = {0};
    uint64_t number = 0, refused = 0;
    int64_t start = now();
    while (!is_stopping) {
        int64_t due = start + (int64_t)number * SECOND / rate;
        if (now() < due) sleep_until(due);
        uint64_t wire = htobe64(number++);
        memcpy(datagram, &wire, sizeof wire);
        if (send(descriptor, datagram, sizeof datagram, 0) < 0) refused++;
    }
    printf("sent %" PRIu64 " refused %" PRIu64 "\n", number, refused);
}

static void tcp_receive(const char *port, int64_t interval) {
    static char data[1 << 16];
    static int64_t stalls[MAXIMUM_STALLS];
    int listener = bound(SOCK_STREAM, port);
    if (listen(listener, 1) != 0) fail("listen");
    ready();
    int descriptor = accept(listener, NULL, NULL);
    if (descriptor < 0) fail("accept");
    uint64_t total = 0, stalled = 0, fresh = 0;
    int64_t last = now(), first = last / interval + 2, end = first * interval, longest = 0;
    while (!is_stopping) {
        int64_t left = end - now();
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        struct timespec patience = {left > 0 ? left / SECOND : 0, left > 0 ? left % SECOND : 0};
        ssize_t count = ppoll(&wait, 1, &patience, NULL) > 0 ? recv(descriptor, data, sizeof data, MSG_DONTWAIT) : -1;
        int64_t moment = now();
        for (; moment >= end; end += interval, fresh = 0)
            if (!fresh && stalled++ < MAXIMUM_STALLS) stalls[stalled - 1] = end / interval;
        if (count == 0) break;
        if (count < 0) continue;
        total += (uint64_t)count;
        fresh += (uint64_t)count;
        if (moment - last > longest) longest = moment - last;
        last = moment;
    }
    printf("bytes %" PRIu64 " longest %" PRId64 " stalled %" PRIu64 " from %" PRId64 " to %" PRId64 " at", total,
        longest / 1000000, stalled, first, end / interval);
    for (uint64_t i = 0; i < stalled && i < MAXIMUM_STALLS; i++) printf(" %" PRId64, stalls[i]);
    puts("");
}

static void tcp_send(const char *address, const char *port, int64_t rate) {
    static char data[14000];
    int descriptor = connected(SOCK_STREAM, address, port);
    struct timeval patience = {0, 100000};
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int64_t due = now();
    while (!is_stopping) {
        if (send(descriptor, data, sizeof data, MSG_NOSIGNAL) < 0 && errno != EAGAIN && errno != EINTR) break;
        due += SECOND / rate;
        if (due < now()) due = now();
        sleep_until(due);
    }
}

int main(int count, char **words) {
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    if (count == 3 && !strcmp(words[1], "udp-receive")) udp_receive(words[2]);
    else if (count == 5 && !strcmp(words[1], "udp-send")) udp_send(words[2], words[3], atoll(words[4]));
    else if (count == 4 && !strcmp(words[1], "tcp-receive")) tcp_receive(words[2], (int64_t)(atof(words[3]) * SECOND));
    else if (count == 5 && !strcmp(words[1], "tcp-send")) tcp_send(words[2], words[3], atoll(words[4]));
    else {
        fputs("usage: stream udp-receive|udp-send|tcp-receive|tcp-send ...\n", stderr);
        return 2;
    }
    return 0;
}
