// first-calls FUNCTIONS OUTPUT PROGRAM [ARGUMENT…]: runs the program and writes the names of the functions it calls to
// OUTPUT, each once, in the order of their first calls. FUNCTIONS has a line `address name` (hexadecimal, as nm writes
// it) for each function of the program, which must be linked to fixed addresses. The exit status is the program's.
#define _GNU_SOURCE
#include "breakpoints.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static int open_memory(pid_t child) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory < 0) fail(path);
    return memory;
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: first-calls FUNCTIONS OUTPUT PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    read_functions(arguments[1], 0);
    FILE *output = fopen(arguments[2], "we");
    if (output == NULL) fail(arguments[2]);
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(arguments[3], arguments + 3);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status)) fail(arguments[3]);
    int memory = open_memory(child);
    plant(memory);
    int delivered = 0;
    while (ptrace(PTRACE_CONT, child, 0, delivered) == 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        delivered = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        if (delivered == 0) note(child, memory, output);
    }
    if (fclose(output) != 0) fail(arguments[2]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
