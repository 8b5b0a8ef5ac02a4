// An ADD or a DEL is offered to the daemon, which does it by the same code in a process that is warm: this one lives for
// a millisecond, of which it would take most to fetch its code and its memory. That holds for the offer too: of Swift's
// variables and code it needs forty pages, of this file three. So what always happens is done here, before the
// constructors of Swift's runtime and its main; whatever else may happen is CallHandover's (docs/adr/0079).
//
// The packet: texts, each ended by NUL: the version of the program, the inode of the caller's network namespace, then
// NAME=VALUE for each variable, then an empty one. The rest is standard input. The container's network namespace goes
// with it as a descriptor. The answer: `d`, the process is to do it by itself; or `r`, the exit status, four octets of
// the length of what goes to standard error (the first the highest), that, and what goes to standard output.

#define _GNU_SOURCE
#include "CCallHandover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif

static unsigned char config[CALL_PACKET_LIMIT];
static struct call_handover call = {.connection = -1, .config = config};

struct call_handover call_handover_result(void) { return call; }

// The variables that a call goes by.
static const char *const variables[] = {
    "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH", "CNI_NETNS_OVERRIDE",
};
#define VARIABLE_COUNT (sizeof variables / sizeof *variables)
enum { COMMAND, CONTAINER, NETNS, INTERFACE };

static const char default_directory[] = "/run/apus", socket_name[] = "/calls.sock";

static bool is_set(const char *value) { return value != NULL && *value != '\0'; }

// Whether the process is the IPAM plugin alone.
static bool is_ipam(const char *program) {
    const char *slash = strrchr(program, '/');
    return strcmp(slash != NULL ? slash + 1 : program, "apus-ipam") == 0;
}

// Whether the call is one to offer: its variables are there, so that standard input is needed in any case. Looks up
// their values, each null where it is not set.
static bool is_served(const char *values[]) {
    const char *command = getenv(variables[COMMAND]);
    if (command == NULL || (strcmp(command, "ADD") != 0 && strcmp(command, "DEL") != 0)) return false;
    for (size_t index = 0; index < VARIABLE_COUNT; index++) values[index] = getenv(variables[index]);
    if (!is_set(values[CONTAINER]) || !is_set(values[INTERFACE])) return false;
    return *command == 'D' || is_set(values[NETNS]);
}

// Reads standard input as far as a packet goes. What is more, and what is wrong with it, is main's.
static void read_config(void) {
    while (call.length < sizeof config) {
        ssize_t count = read(STDIN_FILENO, config + call.length, sizeof config - call.length);
        if (count < 0 && errno == EINTR) continue;
        call.is_whole = count == 0;
        if (count <= 0) return;
        call.length += (size_t)count;
    }
}

bool call_run_directory(const unsigned char *text, size_t length, const unsigned char **path, size_t *path_length) {
    static const char key[] = "\"runDir\"";
    *path = NULL;
    *path_length = 0;
    const unsigned char *const end = text + length;
    const unsigned char *place = length > 0 ? memmem(text, length, key, sizeof key - 1) : NULL;
    if (place == NULL) return true;
    bool has_colon = false;
    for (place += sizeof key - 1; place < end && *place != '"'; place++) {
        if (*place == ':' && !has_colon) has_colon = true;
        else if (*place != ' ' && *place != '\n' && *place != '\t' && *place != '\r') return false;
    }
    if (!has_colon || place == end) return false;
    for (*path = ++place; place < end && *place != '"'; place++) {
        if (*place == '\\' || *place == '\0') return false;
    }
    *path_length = (size_t)(place - *path);
    return place < end;
}

// The connection; -1 where no daemon of root's takes calls.
static int connect_to_daemon(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const unsigned char *directory;
    size_t length;
    if (!call_run_directory(config, call.length, &directory, &length)) return -1;
    if (directory == NULL) directory = (const unsigned char *)default_directory, length = sizeof default_directory - 1;
    if (length + sizeof socket_name > sizeof address.sun_path) return -1;
    memcpy(address.sun_path, directory, length);
    memcpy(address.sun_path + length, socket_name, sizeof socket_name);

    const int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connection < 0) return -1;
    const struct timeval time = {.tv_usec = CALL_TAKING_TIME * 1000};
    struct ucred daemon = {.uid = 1};
    socklen_t size = sizeof daemon;
    if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0
        && setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0
        && connect(connection, (const struct sockaddr *)&address, sizeof address) == 0
        && getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &daemon, &size) == 0 && daemon.uid == 0)
        return connection;
    close(connection);
    return -1;
}

// The inode of the network namespace that the process is in, as the socket knows it; 0 if it does not tell.
static ino_t own_netns(int connection) {
    struct stat status = {0};
    const int namespace = ioctl(connection, SIOCGSKNS);
    if (namespace < 0) return 0;
    if (fstat(namespace, &status) != 0) status.st_ino = 0;
    close(namespace);
    return status.st_ino;
}

// The container's network namespace; -1 where there is none: a DEL may come when it is gone, and without it the daemon
// declines an ADD, so that main says what is wrong.
static int open_netns(const char *path) {
    struct statfs status;
    if (!is_set(path)) return -1;
    // A FIFO would keep the call until somebody writes to it.
    const int namespace = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (namespace >= 0 && fstatfs(namespace, &status) == 0 && status.f_type == NSFS_MAGIC) return namespace;
    if (namespace >= 0) close(namespace);
    return -1;
}

// The number as text, ended by NUL, in the last octets of a buffer of at least 21; what is in front of it stays.
static const char *decimal(uint64_t number, char *end) {
    *--end = '\0';
    do *--end = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return end;
}

// Sends the call. False if it is too long, or the daemon has not got it.
static bool send_call(int connection, ino_t own, const char *const values[]) {
    struct iovec parts[VARIABLE_COUNT + 4];
    size_t count = 0, length = 0;
    char number[24];
    const char *inode = decimal(own, number + sizeof number);
    parts[count++] = (struct iovec){(void *)APUS_VERSION, sizeof APUS_VERSION};
    parts[count++] = (struct iovec){(void *)inode, strlen(inode) + 1};
    for (size_t index = 0; index < VARIABLE_COUNT; index++) {
        if (values[index] == NULL) continue;
        // The environment has NAME=VALUE in one piece.
        const char *entry = values[index] - strlen(variables[index]) - 1;
        parts[count++] = (struct iovec){(void *)entry, strlen(entry) + 1};
    }
    parts[count++] = (struct iovec){"", 1};
    parts[count++] = (struct iovec){config, call.length};
    for (size_t index = 0; index < count; index++) length += parts[index].iov_len;
    if (length > CALL_PACKET_LIMIT) return false;

    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    const int netns = open_netns(values[NETNS]);
    if (netns >= 0) {
        control.header = (struct cmsghdr){CMSG_LEN(sizeof netns), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &netns, sizeof netns);
        message.msg_control = &control;
        message.msg_controllen = CMSG_LEN(sizeof netns);
    }
    // A packet goes as a whole or not at all.
    ssize_t sent;
    do sent = sendmsg(connection, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (netns >= 0) close(netns);
    return sent >= 0;
}

static bool write_all(int file, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(file, bytes, length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

// Ends the process with what the daemon says of the call. Returns when it is no answer.
static void end_with(const unsigned char *answer, size_t length) {
    const size_t head = 6;
    if (length < head || length > CALL_ANSWER_LIMIT || answer[0] != 'r') return;
    const size_t log = (size_t)answer[2] << 24 | (size_t)answer[3] << 16 | (size_t)answer[4] << 8 | answer[5];
    if (log > length - head) return;
    // Whoever listened may have gone.
    signal(SIGPIPE, SIG_IGN);
    if (log > 0) write_all(STDERR_FILENO, answer + head, log);
    if (write_all(STDOUT_FILENO, answer + head + log, length - head - log)) _exit(answer[1]);
    dprintf(STDERR_FILENO, "apus: write standard output: %s\n", strerror(errno));
    _exit(EXIT_FAILURE);
}

void call_handover_run(int argument_count, char *const arguments[]) {
    static unsigned char answer[CALL_ANSWER_LIMIT];
    const char *values[VARIABLE_COUNT];
    // A runtime gives no arguments.
    if (argument_count != 1 || is_ipam(arguments[0]) || !is_served(values)) return;
    read_config();
    if (!call.is_whole) return;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    call.offered_at = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;

    const int connection = connect_to_daemon();
    if (connection < 0) return;
    const ino_t own = own_netns(connection);
    if (own == 0 || !send_call(connection, own, values)) {
        close(connection);
        return;
    }
    ssize_t length;
    do length = recv(connection, answer, sizeof answer, MSG_TRUNC);
    while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN) {
        call.state = CALL_IS_UNANSWERED;
        call.connection = connection;
        return;
    }
    // Where standard output is closed the connection may have its number.
    close(connection);
    if (length > 0) end_with(answer, (size_t)length);
    if (length != 1 || answer[0] != 'd') call.state = CALL_IS_LOST;
}
