// steady-calls FUNCTIONS OUTPUT PID SECONDS: writes the names of the functions that the running process calls within so
// many seconds to OUTPUT, each once, in the order of their first calls. FUNCTIONS has a line `address name` (hexadecimal,
// as nm writes it) for each function of its program.
#define _GNU_SOURCE
#include "breakpoints.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

enum { max_threads = 1024 };
static pid_t threads[max_threads];
static int thread_count;

// Where the program lies: its first mapping.
static unsigned long base_of(int pid) {
    char path[64];
    unsigned long base = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%lx-", &base) != 1) fail(path);
    fclose(file);
    return base;
}

// Stops every thread; one that begins later is traced with the one that began it.
static void attach(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *directory = opendir(path);
    if (directory == NULL) fail(path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && thread_count < max_threads;) {
        pid_t thread = atoi(entry->d_name);
        if (thread == 0 || ptrace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACECLONE) != 0) continue;
        threads[thread_count++] = thread;
    }
    closedir(directory);
}

static void stop_all(void) {
    for (int i = 0; i < thread_count; i++) {
        int status;
        if (ptrace(PTRACE_INTERRUPT, threads[i], 0, 0) == 0) waitpid(threads[i], &status, __WALL);
    }
}

// Puts back what has not been met.
static void clear(int memory) {
    for (struct function *f = functions; f < functions + function_count; f++) {
        if (!f->isMet && pwrite(memory, &f->octet, 1, (off_t)f->address) != 1) fail(f->name);
    }
}

static void on_alarm(int number) { (void)number; }

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: steady-calls FUNCTIONS OUTPUT PID SECONDS\n");
        return 2;
    }
    int pid = atoi(arguments[3]);
    read_functions(arguments[1], base_of(pid));
    FILE *output = fopen(arguments[2], "we");
    if (output == NULL) fail(arguments[2]);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory < 0) fail(path);
    attach(pid);
    stop_all();
    plant(memory);
    for (int i = 0; i < thread_count; i++) ptrace(PTRACE_CONT, threads[i], 0, 0);
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    alarm((unsigned)atoi(arguments[4]));
    for (int status;;) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0) break;
        if (!WIFSTOPPED(status)) continue;
        int signal = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_STOP || event == PTRACE_EVENT_CLONE) {
            if (event == PTRACE_EVENT_STOP && thread_count < max_threads) threads[thread_count++] = thread;
            signal = 0;
        } else if (signal == SIGTRAP) {
            note(thread, memory, output);
            signal = 0;
        }
        ptrace(PTRACE_CONT, thread, 0, signal);
    }
    // What was not met is put back while all stand still. One may stand at a breakpoint that it has just met.
    for (int i = 0; i < thread_count; i++) {
        int status;
        if (ptrace(PTRACE_INTERRUPT, threads[i], 0, 0) != 0) continue;
        if (waitpid(threads[i], &status, __WALL) == threads[i] && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP
            && status >> 16 == 0) note(threads[i], memory, output);
    }
    clear(memory);
    if (fclose(output) != 0) fail(arguments[2]);
    return 0;
}
