// first-calls FUNCTIONS OUTPUT PROGRAM [ARGUMENT…]: runs the program and writes the names of the functions it calls to
// OUTPUT, each once, in the order of their first calls. FUNCTIONS has a line `address name` (hexadecimal, as nm writes
// it) for each function of the program, which must be linked to fixed addresses. The exit status is the program's.
//
// Each function's first octet is made a breakpoint, which is taken away when it is met.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { max_functions = 1 << 18 };
static const unsigned char breakpoint = 0xcc;

struct function {
    unsigned long address;
    char *name;
    unsigned char octet;
};
static struct function functions[max_functions];
static size_t function_count;

static void fail(const char *what) {
    perror(what);
    exit(125);
}

static int by_address(const void *left, const void *right) {
    const struct function *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static void read_functions(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) fail(path);
    static char name[1 << 16];
    while (function_count < max_functions
           && fscanf(file, "%lx %65535s", &functions[function_count].address, name) == 2) {
        functions[function_count++].name = strdup(name);
    }
    fclose(file);
    qsort(functions, function_count, sizeof *functions, by_address);
    // Of several names of one place the first is as good as another.
    size_t kept = 0;
    for (size_t i = 0; i < function_count; i++) {
        if (kept == 0 || functions[kept - 1].address != functions[i].address) functions[kept++] = functions[i];
    }
    function_count = kept;
}

static int open_memory(pid_t child) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory < 0) fail(path);
    return memory;
}

// The child has met a breakpoint: it goes on as if there had been none.
static void note(pid_t child, int memory, FILE *output) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, child, 0, &registers) != 0) fail("registers");
    struct function key = {.address = registers.rip - 1};
    struct function *met = bsearch(&key, functions, function_count, sizeof key, by_address);
    if (met == NULL) return;
    fprintf(output, "%s\n", met->name);
    if (pwrite(memory, &met->octet, 1, (off_t)met->address) != 1) fail("write");
    registers.rip = met->address;
    if (ptrace(PTRACE_SETREGS, child, 0, &registers) != 0) fail("registers");
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: first-calls FUNCTIONS OUTPUT PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    read_functions(arguments[1]);
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
    for (struct function *f = functions; f < functions + function_count; f++) {
        if (pread(memory, &f->octet, 1, (off_t)f->address) != 1
            || pwrite(memory, &breakpoint, 1, (off_t)f->address) != 1) fail(f->name);
    }
    int delivered = 0;
    while (ptrace(PTRACE_CONT, child, 0, delivered) == 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        delivered = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        if (delivered == 0) note(child, memory, output);
    }
    if (fclose(output) != 0) fail(arguments[2]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
