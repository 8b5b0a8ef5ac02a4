// The start of the process, up to main, in place of glibc's.
//
// glibc asks the processor for what it can do and how large its caches are before anything else: 43 CPUID instructions
// on an AMD processor. On a virtual machine each goes to the hypervisor and takes 4 to 7 µs, so that a process which
// does nothing spends two thirds of its life on them. It also makes ready for dlopen, which is never called here. This
// start does neither: the string functions are those that every x86-64 has, as glibc chooses them when no feature is
// known, and the clock is a plain system call.
//
// It stands in for libc-start.o of the static libc.a, whose steps it takes in the same order, and is compiled for the
// version it was written for alone (docs/adr/0060). Any other glibc starts the process as always.

#include <features.h>

#if defined(STATIC_START) && defined(__x86_64__) && defined(__GLIBC__) && __GLIBC__ == 2 && __GLIBC_MINOR__ == 36

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Hidden names of libc.a.
extern char **__environ;
extern void *__libc_stack_end;
extern int __libc_enable_secure, __libc_argc, _dl_stack_flags;
extern char **__libc_argv;
extern void *_dl_random;
void _dl_aux_init(Elf64_auxv_t *vector);
void __tunables_init(char **environment);
void __libc_setup_tls(void);
void __libc_early_init(_Bool initial);
void __init_misc(int count, char **arguments, char **environment);
void __libc_check_standard_fds(void);
void _init(void);

// Laid out by the linker.
typedef void constructor(int count, char **arguments, char **environment);
extern const Elf64_Rela __rela_iplt_start[], __rela_iplt_end[];
extern constructor *const __preinit_array_start[], *const __preinit_array_end[];
extern constructor *const __init_array_start[], *const __init_array_end[];

// What libc-start.o defines for the string functions, in octets: glibc's own values for caches of unknown size.
#define HIDDEN __attribute__((visibility("hidden")))
HIDDEN long __x86_data_cache_size = 32 << 10, __x86_data_cache_size_half = 16 << 10;
HIDDEN long __x86_shared_cache_size = 1 << 20, __x86_shared_cache_size_half = 512 << 10;
HIDDEN long __x86_shared_non_temporal_threshold = 768 << 10;
HIDDEN long __x86_rep_movsb_threshold = 2048, __x86_rep_movsb_stop_threshold = 768 << 10;
HIDDEN long __x86_rep_stosb_threshold = 2048;
HIDDEN int __x86_string_control = 0;

// The string functions of many forms: each asks for the form it is to have.
static inline void choose_functions(void) {
    for (const Elf64_Rela *entry = __rela_iplt_start; entry < __rela_iplt_end; entry++) {
        *(uintptr_t *)entry->r_offset = ((uintptr_t (*)(void))(uintptr_t)entry->r_addend)();
    }
}

// Before choose_functions no string function can be called, before __libc_setup_tls no thread-local variable is there;
// the stack protector's canary is one.
__attribute__((noreturn, no_stack_protector)) int
__libc_start_main(int (*program)(int, char **, char **), int count, char **arguments, void (*unused_init)(void),
                  void (*unused_fini)(void), void (*loader_fini)(void), void *stack_end) {
    (void)unused_init, (void)unused_fini, (void)loader_fini;
    char **end = arguments + count + 1;
    __environ = end;
    __libc_stack_end = stack_end;
    __libc_argc = count;
    __libc_argv = arguments;
    while (*end != NULL) end++;
    _dl_aux_init((Elf64_auxv_t *)(end + 1));
    // As the executable asks the kernel for it: no stack that is made here is executable.
    _dl_stack_flags = PF_R | PF_W;
    __tunables_init(__environ);
    choose_functions();
    __libc_setup_tls();
    // Canary and pointer guard of the thread, where gcc and glibc look for them.
    uintptr_t canary = ((uintptr_t *)_dl_random)[0] & ~(uintptr_t)0xff, guard = ((uintptr_t *)_dl_random)[1];
    __asm__ volatile("mov %0, %%fs:0x28\n\tmov %1, %%fs:0x30" : : "r"(canary), "r"(guard));
    __libc_early_init(true);
    __init_misc(count, arguments, __environ);
    if (__libc_enable_secure) __libc_check_standard_fds();
    for (constructor *const *entry = __preinit_array_start; entry < __preinit_array_end; entry++) {
        (*entry)(count, arguments, __environ);
    }
    _init();
    for (constructor *const *entry = __init_array_start; entry < __init_array_end; entry++) {
        (*entry)(count, arguments, __environ);
    }
    exit(program(count, arguments, __environ));
}

#endif
