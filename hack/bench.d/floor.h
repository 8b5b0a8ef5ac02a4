// What the kernel alone needs for a pod's link: the messages of an ADD and of a DEL on raw rtnetlink, nothing else.
#ifndef APUS_BENCH_FLOOR_H
#define APUS_BENCH_FLOOR_H

#include <stdint.h>

// Makes the pair with its addresses, routes and neighbours in the calling thread's namespace and in `pod`. An answer
// below 0 is -errno.
int floor_add(int pod, const char *host_name, uint32_t address);
// Deletes the pair and waits for the kernel's answer.
int floor_delete(const char *host_name);
// Runs `floor add|del …` as a process of its own; the answer is its exit status.
int floor_main(int count, char **arguments);

#endif
