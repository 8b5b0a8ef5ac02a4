# shellcheck shell=bash
# Sourced by every script of hack/: where things are, a run id, a clean-up stack, processes ended by their id alone.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dist="$top/dist"

# Commands are shown as they run, on stderr, so that stdout holds results only.
say() { printf '%s\n' "$*" >&2; }
show() {
    printf '+ %s\n' "$*" >&2
    "$@"
}
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# A run's id is part of every name it makes, so that two runs on one machine never meet.
new_run_id() { od -An -N3 -tx1 /dev/urandom | tr -d ' \n'; }

need_root() { [ "$(id -u)" = 0 ] || die "needs root: it makes network namespaces"; }

# The clean-up stack: last in, first out, whatever ends the script. Each entry is one shell command, already quoted.
cleanup_stack=()
defer() { cleanup_stack+=("$(printf '%q ' "$@")"); }
run_cleanup() {
    local status=$? i
    trap - EXIT INT TERM HUP
    set +e
    for ((i = ${#cleanup_stack[@]} - 1; i >= 0; i--)); do
        eval "${cleanup_stack[i]}" || say "clean-up failed: ${cleanup_stack[i]}"
    done
    cleanup_stack=()
    exit "$status"
}
trap run_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

microseconds() { echo "${EPOCHREALTIME//[!0-9]/}"; }

# eventually SECONDS COMMAND…: runs the command until it succeeds; fails when the time is up, which $SECONDS, counting
# whole ones, would find up to one too early.
eventually() {
    local end_of_wait=$(($(microseconds) + $1 * 1000000))
    shift
    until "$@"; do
        [ "$(microseconds)" -lt "$end_of_wait" ] || return 1
        sleep 0.05
    done
}

# A process is its id and its start time: an id alone may have been given to somebody else since.
process_start() {
    local stat
    stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
    # The name, in parentheses, may hold blanks; start time is the 20th field after it (proc(5), field 22).
    set -- ${stat##*) }
    echo "${20}"
}
is_running() { [ "$(process_start "$1")" = "$2" ] && [ "$(process_state "$1")" != Z ]; }
process_state() {
    local stat
    stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
    set -- ${stat##*) }
    echo "$1"
}

# stop_process PID START: TERM, five seconds, KILL. A process that is gone, or is another's by now, is left alone.
is_gone() { ! is_running "$1" "$2"; }
stop_process() {
    is_running "$1" "$2" || return 0
    kill -TERM "$1" 2> /dev/null || true
    eventually 5 is_gone "$1" "$2" && return 0
    kill -KILL "$1" 2> /dev/null || true
    eventually 5 is_gone "$1" "$2"
}
kill_process() {
    is_running "$1" "$2" || die "process $1 is not running"
    kill -KILL "$1"
    eventually 5 is_gone "$1" "$2"
}

# spawn LOG COMMAND…: starts a process in a session of its own and sets $spawned to "PID START". Ends it at the end.
spawn() {
    local log=$1 pid
    shift
    printf '+ %s &\n' "$*" >&2
    setsid "$@" < /dev/null >> "$log" 2>&1 &
    pid=$!
    spawned="$pid $(process_start "$pid")"
    disown "$pid"
    # shellcheck disable=SC2086
    defer stop_process $spawned
}
