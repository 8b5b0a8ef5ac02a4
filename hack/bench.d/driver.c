// driver CONTENDERS PODS SEQUENTIAL CONCURRENT BURST: calls CNI executables and the kernel's floor in turn and writes
// one line per call and per group of calls to stdout; hack/bench.d/report.py makes tables of them.
//
// CONTENDERS is a file of lines `name kind netns program config cniPath daemonPid burst` (tab-separated): kind is
// plugin, exec (the floor as a process) or direct (the floor in this process); burst is 1 for those that take part in
// the burst. PODS is a directory of that many namespaces as it holds files. A call's time runs from before the fork to
// after the wait. Its CPU time is its own and that of the processes it has waited for; the daemon's and that of
// processes left behind is counted for the group.
#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { max_contenders = 16, max_pods = 256, max_text = 16384 };
enum kind { plugin, floor_exec, floor_direct };

struct contender {
    char name[32], netns[256], program[256], config[256], cni_path[256];
    enum kind kind;
    int daemon, has_check, in_burst;
    int netns_fd, host_socket;
};
struct pod {
    char path[512];
    int fd, socket;
    // Of the attachment it has now.
    char id[32], host_name[16];
    char *result;
    // Of the call that is under way.
    pid_t child;
    int answer;
    uint64_t start;
};

static struct contender contenders[max_contenders];
static struct pod pods[max_pods];
static int contender_count, pod_count, calls, nowhere;
static uint64_t orphans_us;
static FILE *out;

static void fail(const char *what, const char *object) {
    fprintf(stderr, "driver: %s %s: %s\n", what, object, strerror(errno));
    exit(1);
}
static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    return clock_gettime(clock, &time) != 0 ? 0 : (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
static uint64_t now(void) { return clock_ns(CLOCK_MONOTONIC); }
static uint64_t daemon_us(const struct contender *contender) {
    clockid_t clock;
    if (contender->daemon == 0 || clock_getcpuclockid(contender->daemon, &clock) != 0) return 0;
    return clock_ns(clock) / 1000;
}
static void settle(long milliseconds) {
    struct timespec time = {.tv_nsec = milliseconds * 1000000};
    nanosleep(&time, NULL);
}
static void enter(const struct contender *contender) {
    if (setns(contender->netns_fd, CLONE_NEWNET) != 0) fail("enter", contender->netns);
}

static int has_name(int socket, const char *name) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(socket, SIOCGIFINDEX, &request) == 0;
}

// The configuration with the result of ADD in it, as CHECK and DEL get it.
static int input_with(const struct contender *contender, const char *previous) {
    static char text[max_text];
    int file = open(contender->config, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (size <= 0) fail("read", contender->config);
    close(file);
    while (size > 0 && text[size - 1] != '}') size--;
    int input = memfd_create("config", MFD_CLOEXEC);
    if (dprintf(input, "%.*s,\"prevResult\":%s}", (int)size - 1, text, previous) < 0) fail("write", "config");
    lseek(input, 0, SEEK_SET);
    return input;
}

static pid_t spawn(const char *program, char **arguments, char **environment, int input, int output) {
    pid_t child = vfork();
    if (child == 0) {
        if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(nowhere, 2) < 0) _exit(126);
        execve(program, arguments, environment);
        _exit(127);
    }
    if (child < 0) fail("fork", program);
    return child;
}

static void start(const struct contender *contender, const char *verb, struct pod *pod) {
    char command[32], id[64], netns[544], path[288], address[16], *arguments[7] = {(char *)contender->program};
    int with_previous = pod->result != NULL && (strcmp(verb, "CHECK") == 0 || strcmp(verb, "DEL") == 0);
    int input = with_previous ? input_with(contender, pod->result) : open(contender->config, O_RDONLY | O_CLOEXEC);
    if (input < 0) fail("open", contender->config);
    snprintf(command, sizeof command, "CNI_COMMAND=%s", verb);
    snprintf(id, sizeof id, "CNI_CONTAINERID=%s", pod->id);
    snprintf(netns, sizeof netns, "CNI_NETNS=%s", pod->path);
    snprintf(path, sizeof path, "CNI_PATH=%s", contender->cni_path);
    char *environment[] = {command, id, netns, path, "CNI_IFNAME=eth0", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    if (contender->kind == floor_exec) {
        snprintf(address, sizeof address, "%u", 0x0af60001u + (unsigned)(pod - pods));
        char *add[] = {"floor", "add", pod->path, pod->host_name, address};
        char *del[] = {"floor", "del", pod->host_name};
        char *version[] = {"floor", "version"};
        if (strcmp(verb, "ADD") == 0) memcpy(arguments + 1, add, sizeof add);
        else if (strcmp(verb, "DEL") == 0) memcpy(arguments + 1, del, sizeof del);
        else memcpy(arguments + 1, version, sizeof version);
    }
    pod->answer = memfd_create("answer", MFD_CLOEXEC);
    pod->start = now();
    pod->child = spawn(contender->program, arguments, environment, input, pod->answer);
    close(input);
}

static char *answer_of(struct pod *pod) {
    static char text[max_text];
    ssize_t size = pread(pod->answer, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = 0;
    close(pod->answer);
    return text;
}

// The name of the result's first interface: the host's end.
static void keep_result(struct pod *pod, const char *text) {
    const char *name = strstr(text, "\"interfaces\"");
    name = name != NULL ? strstr(name, "\"name\"") : NULL;
    name = name != NULL ? strchr(name + 6, '"') : NULL;
    const char *stop = name != NULL ? strchr(name + 1, '"') : NULL;
    if (stop == NULL) fail("no interface in the answer:", text);
    snprintf(pod->host_name, sizeof pod->host_name, "%.*s", (int)(stop - name - 1), name + 1);
    pod->result = strdup(text);
}

// What is looked at after a call, outside of its time.
static void conclude(const struct contender *contender, const char *verb, struct pod *pod, int status) {
    char *text = contender->kind == floor_direct ? "" : answer_of(pod);
    if (status != 0) {
        fprintf(stderr, "driver: %s %s: status %d: %s\n", contender->name, verb, status, text);
        exit(1);
    }
    if (strcmp(verb, "ADD") == 0) {
        if (contender->kind == plugin) keep_result(pod, text);
        if (!has_name(contender->host_socket, pod->host_name) || !has_name(pod->socket, "eth0")) fail("ADD made no", "link");
    }
    if (strcmp(verb, "DEL") == 0) {
        int left = has_name(contender->host_socket, pod->host_name) + has_name(pod->socket, "eth0");
        fprintf(out, "left\t%s\t%d\n", contender->name, left);
        free(pod->result);
        pod->result = NULL;
        // The next one would otherwise be charged for what is still going on.
        while (has_name(contender->host_socket, pod->host_name) || has_name(pod->socket, "eth0")) settle(1);
    }
}

// What a call has left running; the kernel hands it to this process.
static void reap_orphans(void) {
    struct rusage usage;
    while (wait4(-1, NULL, WNOHANG, &usage) > 0) {
        orphans_us += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u
            + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    }
}

// Waits for one of the group's calls and writes its line; answers 0 when it was a process left behind.
static int reap(const char *phase, const struct contender *contender, const char *verb, struct pod *first, int count) {
    struct rusage usage;
    int status;
    pid_t child = wait4(-1, &status, 0, &usage);
    uint64_t end = now();
    if (child < 0) fail("wait for", verb);
    uint64_t user = (uint64_t)usage.ru_utime.tv_sec * 1000000u + (uint64_t)usage.ru_utime.tv_usec;
    uint64_t system = (uint64_t)usage.ru_stime.tv_sec * 1000000u + (uint64_t)usage.ru_stime.tv_usec;
    for (struct pod *pod = first; pod < first + count; pod++) {
        if (pod->child != child) continue;
        pod->child = 0;
        fprintf(out, "call\t%s\t%s\t%s\t%llu\t%llu\t%llu\t%ld\n", phase, contender->name, verb,
                (unsigned long long)(end - pod->start), (unsigned long long)user, (unsigned long long)system,
                usage.ru_maxrss);
        conclude(contender, verb, pod, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        return 1;
    }
    orphans_us += user + system;
    return 0;
}

static void call_direct(const char *phase, const struct contender *contender, const char *verb, struct pod *pod) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    uint64_t from = now();
    int status = 0;
    if (strcmp(verb, "ADD") == 0) {
        status = floor_add(pod->fd, pod->host_name, htonl(0x0af60001u + (uint32_t)(pod - pods)));
    } else if (strcmp(verb, "DEL") == 0) {
        status = floor_delete(pod->host_name);
    }
    uint64_t wall = now() - from;
    getrusage(RUSAGE_SELF, &after);
    long user = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    long system = (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    fprintf(out, "call\t%s\t%s\t%s\t%llu\t%ld\t%ld\t%ld\n", phase, contender->name, verb, (unsigned long long)wall, user,
            system, after.ru_maxrss);
    conclude(contender, verb, pod, status);
}

// One verb for `count` pods, `width` at a time; a line for the whole group.
static void group(const char *phase, const struct contender *contender, const char *verb, int count, int width, int round) {
    if (strcmp(verb, "CHECK") == 0 && !contender->has_check) return;
    enter(contender);
    if (strcmp(verb, "ADD") == 0) {
        for (struct pod *pod = pods; pod < pods + count; pod++) {
            snprintf(pod->id, sizeof pod->id, "bench-%d", ++calls);
            snprintf(pod->host_name, sizeof pod->host_name, "floor%d", calls);
        }
    }
    uint64_t daemon = daemon_us(contender), orphans = orphans_us, from = now();
    int begun = 0, ended = 0;
    while (ended < count) {
        if (contender->kind == floor_direct) {
            call_direct(phase, contender, verb, &pods[begun++]);
            ended++;
        } else if (begun < count && begun - ended < width) {
            start(contender, verb, &pods[begun++]);
        } else {
            ended += reap(phase, contender, verb, pods, count);
        }
    }
    uint64_t wall = now() - from;
    settle(strcmp(verb, "DEL") == 0 ? 40 : 2);
    reap_orphans();
    fprintf(out, "group\t%s\t%s\t%s\t%d\t%d\t%llu\t%llu\n", phase, contender->name, verb, round, count,
            (unsigned long long)wall, (unsigned long long)(daemon_us(contender) - daemon + orphans_us - orphans));
}

// Whether the plugin has CHECK: one that has not answers an error to it.
static int has_check(const struct contender *contender) {
    if (contender->kind != plugin) return 0;
    group("warm", contender, "ADD", 1, 1, 0);
    start(contender, "CHECK", &pods[0]);
    int status;
    waitpid(pods[0].child, &status, 0);
    char *text = answer_of(&pods[0]);
    if (status != 0) fprintf(stderr, "driver: %s has no CHECK: %s\n", contender->name, text);
    group("warm", contender, "DEL", 1, 1, 0);
    return status == 0;
}

// Every contender in turn, in another order each round.
static void rounds(const char *phase, int count, int pods_each, int width, int burst_only) {
    static const char *const verbs[] = {"VERSION", "ADD", "CHECK", "DEL"};
    for (int round = 0; round < count; round++) {
        for (int place = 0; place < contender_count; place++) {
            const struct contender *contender = &contenders[(place + round) % contender_count];
            if (burst_only && !contender->in_burst) continue;
            for (int verb = 0; verb < 4; verb++) {
                int concurrent_add = burst_only && verb == 1;
                if (burst_only && (verb == 0 || verb == 2)) continue;
                group(phase, contender, verbs[verb], pods_each, concurrent_add ? 8 : width, round);
            }
        }
        fflush(out);
    }
}

static void read_contenders(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) fail("open", path);
    char kind[16];
    struct contender *c = contenders;
    while (contender_count < max_contenders
           && fscanf(file, "%31s %15s %255s %255s %255s %255s %d %d", c->name, kind, c->netns, c->program, c->config,
                     c->cni_path, &c->daemon, &c->in_burst) == 8) {
        c->kind = strcmp(kind, "plugin") == 0 ? plugin : strcmp(kind, "exec") == 0 ? floor_exec : floor_direct;
        c->netns_fd = open(c->netns, O_RDONLY | O_CLOEXEC);
        if (c->netns_fd < 0) fail("open", c->netns);
        enter(c);
        c->host_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        c = &contenders[++contender_count];
    }
    fclose(file);
}

static void read_pods(const char *directory) {
    DIR *stream = opendir(directory);
    if (stream == NULL) fail("open", directory);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL && pod_count < max_pods;) {
        if (entry->d_name[0] == '.') continue;
        struct pod *pod = &pods[pod_count++];
        snprintf(pod->path, sizeof pod->path, "%s/%s", directory, entry->d_name);
        pod->fd = open(pod->path, O_RDONLY | O_CLOEXEC);
        if (pod->fd < 0 || setns(pod->fd, CLONE_NEWNET) != 0) fail("enter", pod->path);
        pod->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (pod->socket < 0) fail("socket in", pod->path);
    }
    closedir(stream);
}

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[0], "floor") == 0) return floor_main(count - 1, arguments + 1);
    if (count > 1 && strcmp(arguments[1], "floor") == 0) return floor_main(count - 2, arguments + 2);
    if (count != 6) {
        fprintf(stderr, "usage: driver CONTENDERS PODS SEQUENTIAL CONCURRENT BURST\n");
        return 2;
    }
    out = stdout;
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    read_contenders(arguments[1]);
    read_pods(arguments[2]);
    int burst = pod_count < 200 ? pod_count : 200;
    if (burst < 32) fail("fewer than 32 namespaces in", arguments[2]);
    for (int i = 0; i < contender_count; i++) contenders[i].has_check = has_check(&contenders[i]);
    rounds("sequential", atoi(arguments[3]), 1, 1, 0);
    rounds("8 at once", atoi(arguments[4]), 32, 8, 0);
    rounds("32 at once", atoi(arguments[4]), 32, 32, 0);
    rounds("burst of 200", atoi(arguments[5]), burst, burst, 1);
    return fflush(out) != 0;
}
