// The handing over of a call to the daemon, before anything of Swift has been touched; handover.c says why in C.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Which Apus this is (https://semver.org), as --version has it. A release changes it here and in the changelog.
#define APUS_VERSION "0.1.0-dev"

// The longest packet, in octets. What is longer is not handed over: its result might not fit into a packet.
#define CALL_PACKET_LIMIT (8 << 10)
// The longest answer, in octets: less than a socket takes unless somebody has made it smaller.
#define CALL_ANSWER_LIMIT (192 << 10)
// How long the daemon may take to take the call, in milliseconds. It may have many, but so has this machine then.
#define CALL_TAKING_TIME 250

// What has become of a call that this process was started with.
enum call_state {
    // The daemon has not touched anything: nobody offered it the call, or it declined.
    CALL_IS_OURS,
    // It has not answered in time. It may have begun; the connection is open.
    CALL_IS_UNANSWERED,
    // It has gone without an answer, or with one that is none. It may have begun.
    CALL_IS_LOST,
};

struct call_handover {
    enum call_state state;
    // The connection to the daemon; -1 where there is none.
    int connection;
    // When the call was offered: nanoseconds of CLOCK_BOOTTIME.
    uint64_t offered_at;
    // What has been read of standard input, and how much of it.
    const unsigned char *config;
    size_t length;
    // Whether that is all of it.
    bool is_whole;
};

// Offers the call that the process was started with, if it is one that the daemon may carry out, and waits for the
// answer. When the daemon has carried it out, the process ends here, with the daemon's answer.
void call_handover_run(int argument_count, char *const arguments[]);

// What has become of it.
struct call_handover call_handover_result(void);

// Finds the run directory that a configuration's text names, without reading the JSON, which would take longer than all
// the rest: the daemon reads it, and declines if it is not its own. False for a text that is not plain. The path is not
// ended by NUL; a null pointer stands for the usual one.
bool call_run_directory(const unsigned char *text, size_t length, const unsigned char **path, size_t *path_length);
