# shellcheck shell=bash
# Sourced by hack/demo: how the segment comes up, what is shown of it, and what must be true of what was shown.

demo_up() {
    segment_up node1 node2 bird
    start_bird
    start_apusd node1
    start_apusd node2
    say "waiting for the blocks to be known everywhere"
    ready 60 node1 node2 bird
    eventually 60 bird_is_established || die "bird has no session: $(cat "$scratch"/bird/*.log)"
    say "+ cnitool add $network $(netns_path pod1)"
    add_pod node1 pod1
    say "+ cnitool add $network $(netns_path pod2)"
    add_pod node2 pod2
    local name
    for name in pod1 pod2; do
        eventually 5 has_settled "$name" || die "$name: duplicate address detection does not end"
    done
    for name in node1 node2; do watch_routes "$name"; done
}
# The link-local address of a pod is tentative for a second, which would be printed and then be another text.
has_settled() { [ -z "$(within "$1" ip -o address show tentative)" ]; }
bird_is_established() { [ "$(bird_show protocols 2> /dev/null | grep -c ' BGP .* Established')" = 2 ]; }

# The daemons mend what they find missing, so a route that somebody deleted may be back before anyone looks. The
# monitor's log does not forget it.
watch_routes() {
    spawn "$scratch/$1/routes.log" nsenter --net="$(netns_path "$1")" -- ip -ts monitor route
    eventually 5 is_monitoring "$1" "${spawned% *}" || die "ip monitor does not listen in $1"
}

# Everything that is printed. Each part begins with a line "== WHERE: COMMAND"; the next functions read it by that.
demo_show() {
    local name
    for name in node1 node2 bird; do part "$name: ip route" routes "$name"; done
    for name in pod1 pod2; do
        part "$name: ip addr" within "$name" ip address show dev eth0
        part "$name: ip route" routes "$name"
    done
    for name in node1 node2; do
        part "$name: apusctl node status" apusctl_in "$name" node status
    done
    part "bird: show protocols" bird_show protocols
    ping_part pod1 "$(pod_address pod2)"
    ping_part pod2 "$(pod_address pod1)"
    ping_part pod1 "$(bird_pod_address)"
    ping_part pod2 "$(bird_pod_address)"
    ping_part bird "$(pod_address pod1)" -I "$(bird_pod_address)"
    ping_part bird "$(pod_address pod2)" -I "$(bird_pod_address)"
}
part() {
    printf '\n== %s\n' "$1"
    shift
    # A part that cannot be read is shown as that and found by the check; the others are still worth seeing.
    "$@" 2>&1 || echo "(failed: $*)"
}
# Only the summary's first half: the times differ from run to run, and the check compares.
ping_part() {
    local from=$1 to=$2
    shift 2
    part "$from: ping $to" ping_summary "$from" "$to" "$@"
}
ping_summary() {
    within "$1" ping -n -c 10 -i 0.1 -W 2 "${@:3}" "$2" | sed -nE 's/(.* packet loss).*/\1/p'
}

part_of() { awk -v title="== $2" '/^== / { inside = ($0 == title); next } inside && NF' <<< "$1"; }

# must SHOWN PART REGEX: a line of that part matches.
must() {
    local lines
    lines=$(part_of "$1" "$2")
    if ! grep -Eq -- "$3" <<< "$lines"; then
        say "demo: $2: no line matches: $3"
        say "$lines"
        wrong=$((wrong + 1))
    fi
}

# What was printed is held against the live namespaces, and both against what the demo promises.
check_demo() {
    local live node other pod wrong=0
    live=$(demo_show)
    for node in node1 node2; do
        must "$live" "$node: ip route" "^blackhole ${node_block[$node]} proto apus\$"
        for other in node1 node2 bird; do
            [ "$other" = "$node" ] && continue
            must "$live" "$node: ip route" \
                "^${node_block[$other]} via ${node_address[$other]} dev eth0 proto apus\$"
            must "$live" "$node: apusctl node status" \
                "^\| ${node_address[$other]} +\| node-to-node mesh \| up +\| [^|]+\| Established +\|\$"
        done
        must "$live" "bird: show protocols" "^$node +BGP .* Established *\$"
        must "$live" "bird: ip route" "^${node_block[$node]} via ${node_address[$node]} dev eth0 proto bird"
        pod=pod${node#node}
        must "$live" "$node: ip route" "^$(pod_address "$pod") dev cali[0-9a-f]{11} proto apus scope link\$"
        must "$live" "$pod: ip addr" "inet 10\.244\.[0-9.]+/32 scope global eth0"
        must "$live" "$pod: ip route" '^default via 169\.254\.1\.1 dev eth0'
        must "$live" "$pod: ip route" '^169\.254\.1\.1 dev eth0 scope link'
        for other in "$(pod_address "pod$((3 - ${node#node}))")" "$(bird_pod_address)"; do
            must "$live" "$pod: ping $other" ' received, 0% packet loss'
        done
        must "$live" "bird: ping $(pod_address "$pod")" ' received, 0% packet loss'
        if grep -q '^\(\[.*\] \)\?Deleted' "$scratch/$node/routes.log"; then
            say "demo: $node: routes were deleted since they were printed:"
            grep 'Deleted' "$scratch/$node/routes.log" >&2
            wrong=$((wrong + 1))
        fi
    done
    if ! diff -u --label printed --label live "$scratch/printed" <(printf '%s\n' "$live") >&2; then
        say "demo: the namespaces no longer show what was printed"
        wrong=$((wrong + 1))
    fi
    [ "$wrong" = 0 ] || die "check: $wrong things are not as printed"
    say "demo: check: what was printed is what the namespaces show"
}
