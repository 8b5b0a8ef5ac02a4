# shellcheck shell=bash
# Sourced after segment.sh and check.sh: the plugin called directly, and what it may leave behind.

# plugin COMMAND CONFIG [VARIABLE=VALUE…]: dist/apus in node1's namespace for pod1. Sets $answer and $status; the
# variables come last so that a case can take one away (VARIABLE=) or replace it.
plugin() {
    local command=$1 config=$2
    shift 2
    status=0
    answer=$(within node1 env -i PATH="$PATH" CNI_COMMAND="$command" CNI_CONTAINERID=direct CNI_IFNAME=eth0 \
        CNI_NETNS="$(netns_path pod1)" CNI_PATH="$dist" "$@" "${program:-$dist/apus}" <<< "$config" \
        2> "$scratch/stderr") || status=$?
}
# plugin_config VERSION [MORE-KEYS]: a configuration of node1; more keys begin with a comma.
plugin_config() {
    printf '{"cniVersion":"%s","name":"direct","type":"apus","mode":"bgp","runDir":"%s"%s}' \
        "$1" "$scratch/node1/run" "${2:-}"
}
field() { python3 -c 'import json,sys; print(eval("d" + sys.argv[2], {"d": json.loads(sys.argv[1])}))' "$1" "$2"; }

# refused CODE TEXT: the last answer is one error object with that code, and its words name the text.
refused() {
    printf 'exit %s, answer: %s\n' "$status" "$answer"
    [ "$status" != 0 ] && [ "$(field "$answer" '["code"]')" = "$1" ] && contains "$2" "$answer"
}
succeeded() {
    printf 'exit %s, answer: %s\n' "$status" "$answer"
    [ "$status" = 0 ]
}

# traces NODE POD…: all that an attachment consists of: links, addresses, routes, neighbours of node and pods, and the
# records of the store. Equal before and after means that nothing was left.
traces() {
    local name file
    for name in "$@"; do
        echo "-- $name"
        within "$name" ip -o link show | sed -E 's/^[0-9]+: ([^:@]+).*/link \1/'
        within "$name" ip -o address show | awk '$3 == "inet" { print "address", $2, $4 }'
        routes "$name"
        within "$name" ip neighbour show nud permanent
    done
    for file in "$scratch/$1"/run/attachments/* "$scratch/$1"/run/blocks/*.json; do
        [ -e "$file" ] || continue
        # A block's record stays, and its order of addresses moves on; which ones are given out is what counts.
        case "$file" in
            */blocks/*) field "$(cat "$file")" '["allocated"] or ""' | sed "s,.,block $(basename "$file") &," ;;
            *) echo "attachment $(basename "$file")" ;;
        esac
    done
}
