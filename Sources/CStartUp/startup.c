// What is done differently before main in a process that lives for a millisecond.
//
// Two parts of the Swift runtime do work before main, whether or not it is of use. These definitions stand in for
// theirs: a static executable takes an object of libswiftCore.a only for a name that nobody has defined yet. Should a
// runtime of another version need more of either part, the link fails with a name defined twice.
//
// The names are hidden: where the runtime is a shared library, as in a debug build, it keeps to its own.

#include <CCallHandover.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>

#define HIDDEN __attribute__((visibility("hidden")))

// A call that the daemon carries out needs nothing of what follows, nor Swift: this is the first constructor of all.

__attribute__((constructor(101))) static void hand_over(int count, char **values) { call_handover_run(count, values); }

// The arguments (CommandLine.cpp). The runtime looks for them in /proc/self/maps; glibc gives them to every constructor.

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}

HIDDEN char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    *count = argument_count;
    return arguments;
}

HIDDEN void _swift_stdlib_overrideUnsafeArgvArgc(char **values, int count) {
    arguments = values;
    argument_count = count;
}

// The heap. Memory that is given back to the kernel is asked for again, and each time touched anew, before the millisecond
// is over: the heap grows in large steps, never shrinks, and holds the large buffers too.

__attribute__((constructor)) static void keep_memory(void) {
    mallopt(M_TOP_PAD, 512 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

// Backtraces of crashes (Backtrace.cpp). The runtime looks in eight directories for the program swift-backtrace, which
// is not installed with this one. All settings zero: off. A crash still says its reason on stderr, and dumps core.

HIDDEN unsigned char _swift_backtraceSettings[256];

HIDDEN char *_swift_backtrace_demangle(const char *name, size_t length, char *output, size_t *output_length) {
    (void)name, (void)length, (void)output, (void)output_length;
    return NULL;
}

HIDDEN bool _swift_backtrace_isThunkFunction(const char *name) {
    (void)name;
    return false;
}

HIDDEN void _swift_displayCrashMessage(int signal, const void *program_counter) {
    (void)signal, (void)program_counter;
}

HIDDEN bool _swift_spawnBacktracer(const void *crash, int memory) {
    (void)crash, (void)memory;
    return false;
}
