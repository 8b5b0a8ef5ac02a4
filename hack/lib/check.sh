# shellcheck shell=bash
# Sourced by the suites of hack/test.d: what a check is and how it is counted. hack/test reads $APUS_RESULTS, one line a
# check: passed, failed or skipped, a tab, the sentence.

results=${APUS_RESULTS:-/dev/null}

pass() {
    printf 'passed\t%s\n' "$1" >> "$results"
    say "  ok      $1"
}
fail() {
    printf 'failed\t%s\n' "$1" >> "$results"
    say "  FAILED  $1"
}
skip() {
    printf 'skipped\t%s: %s\n' "$1" "$2" >> "$results"
    say "  skipped $1: $2"
}

# check SENTENCE COMMAND…: one check. The command's output is shown only where it failed.
check() {
    local sentence=$1 output
    shift
    if output=$("$@" 2>&1); then
        pass "$sentence"
    else
        fail "$sentence"
        printf '%s\n' "${output:-(no output)}" | sed 's/^/          /' >&2
    fi
    return 0
}

# Commands for `check`. They print what they saw, for the case that it was wrong.
equal() {
    printf 'expected: %s\nfound:    %s\n' "$1" "$2"
    [ "$1" = "$2" ]
}
contains() {
    printf 'expected to contain: %s\nfound:\n%s\n' "$1" "$2"
    case "$2" in *"$1"*) return 0 ;; esac
    return 1
}
contains_line() {
    printf 'expected a line matching: %s\nfound:\n%s\n' "$1" "$2"
    grep -E -- "$1" > /dev/null <<< "$2"
}
# Where nothing at all was found there was nothing to look through.
contains_no_line() {
    printf 'expected lines, and none matching: %s\nfound:\n%s\n' "$1" "$2"
    [ -n "$2" ] && ! grep -E -- "$1" > /dev/null <<< "$2"
}
fails() {
    "$@" && {
        echo "expected to fail: $*"
        return 1
    }
    return 0
}
