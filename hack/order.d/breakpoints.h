// The functions of a program and a breakpoint at the first octet of each, which is taken away when it is met.
#ifndef BREAKPOINTS_H
#define BREAKPOINTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <unistd.h>

enum { max_functions = 1 << 18 };
static const unsigned char breakpoint = 0xcc;

struct function {
    unsigned long address;
    char *name;
    unsigned char octet, isMet;
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

// Reads lines `address name`, the addresses counted from `base`.
static void read_functions(const char *path, unsigned long base) {
    FILE *file = fopen(path, "r");
    if (file == NULL) fail(path);
    static char name[1 << 16];
    while (function_count < max_functions
           && fscanf(file, "%lx %65535s", &functions[function_count].address, name) == 2) {
        functions[function_count].address += base;
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

// Makes the first octet of each function a breakpoint. The program stands still; `memory` is its /proc/PID/mem.
static void plant(int memory) {
    for (struct function *f = functions; f < functions + function_count; f++) {
        if (pread(memory, &f->octet, 1, (off_t)f->address) != 1
            || pwrite(memory, &breakpoint, 1, (off_t)f->address) != 1) fail(f->name);
    }
}

// The thread has met a breakpoint: the function's name is written, and it goes on as if there had been none. Another may
// have met it at the same time, and a thread that is killed meanwhile has no registers.
static void note(pid_t thread, int memory, FILE *output) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) return;
    struct function key = {.address = registers.rip - 1};
    struct function *met = bsearch(&key, functions, function_count, sizeof key, by_address);
    if (met == NULL) return;
    if (!met->isMet) {
        met->isMet = 1;
        fprintf(output, "%s\n", met->name);
        if (pwrite(memory, &met->octet, 1, (off_t)met->address) != 1) fail("write");
    }
    registers.rip = met->address;
    ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

#endif
