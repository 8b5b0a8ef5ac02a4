#!/usr/bin/env bash
# demo-modes.sh MODE…: three nodes in two subnets, the modes one after the other: routes, one captured packet each within
# the subnet and between the subnets, MTU, ping and iperf3. Prints, and fails if something is not as the mode promises.
# Called by hack/demo, here or in a virtual machine.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/run.sh"
. "$top/hack/lib/segment.sh"
. "$top/hack/lib/subnets.sh"
. "$top/hack/lib/modes.sh"
. "$top/hack/lib/demo.sh"

wrong=0
patience=${APUS_DEMO_PATIENCE:-60}
summary=()

demo_modes() {
    local mode node number
    subnets_up
    for node in "${nodes[@]}"; do
        # shellcheck disable=SC2046
        set_mode "$node" $(mode_settings "$1")
        start_node "$node" --tunnel-grace 1
    done
    for mode in "$@"; do
        for node in "${nodes[@]}"; do
            # shellcheck disable=SC2046
            set_mode "$node" $(mode_settings "$mode")
        done
        has_mode_routes "$patience" "$mode" || die "$mode does not come up"
        # Pods that are made in this mode: their MTU is the mode's.
        for number in 1 2 3; do add_pod "node$number" "pod$number" > /dev/null 2>> "$scratch/cni.log"; done
        for number in 1 2 3; do eventually 10 has_settled "pod$number"; done
        show_mode "$mode"
        for number in 1 2 3; do del_pod "node$number" "pod$number" 2>> "$scratch/cni.log"; done
    done
}

# The parts are indented: the table of the demo before this one is read by its own lines.
indented() { sed 's/^/  /'; }

# packet FROM TO: one packet of a ping, as it is on node1's link, outer and inner header.
packet() {
    local capture lines
    spawn "$scratch/packet" nsenter --net="$(netns_path node1)" -- \
        tcpdump -n -v -l -c 1 -i eth0 'icmp[icmptype] = icmp-echo or ip proto 4 or udp port 4789' 2> /dev/null
    capture=$spawned
    : > "$scratch/packet"
    eventually 20 is_capturing || die "tcpdump does not listen"
    within "$1" ping -n -q -c 3 -i 0.2 -W 3 "$2" > /dev/null || true
    # shellcheck disable=SC2086
    eventually 20 is_gone $capture || stop_process $capture
    lines=$(grep -vE '^(tcpdump:|listening|[0-9]+ packets?)' "$scratch/packet" || true)
    printf '%s\n' "$lines"
}
is_capturing() { [ "$(wc -l < "/proc/${spawned% *}/net/packet")" -gt 1 ]; }

# expect TEXT REGEX WHAT: a line matches; refuse: none does.
expect() { grep -Eq -- "$2" <<< "$1" || { say "demo: $3: no line matches: $2" && wrong=$((wrong + 1)); }; }
refuse() { ! grep -Eq -- "$2" <<< "$1" || { say "demo: $3: a line matches: $2" && wrong=$((wrong + 1)); }; }

show_mode() {
    local mode=$1 text pod2 pod3 mtu lost loss=0 wire rates=()
    pod2=$(pod_address pod2) pod3=$(pod_address pod3)
    printf '\n== %s: the ways from node1 to node2, in its subnet, and to node3, in another\n' "$mode"
    routes node1 | grep -E '^10\.244\.[0-9]+\.0/26 via' | indented
    for other in "pod2 within the subnet" "pod3 between the subnets"; do
        printf '== %s: a packet from pod1 to %s\n' "$mode" "$other"
        text=$(packet pod1 "$(pod_address "${other%% *}")")
        indented <<< "$text"
        wire=plain
        [ "$mode" = bgp ] || [[ "$mode" == crosssubnet* && "$other" == *within* ]] || wire=$(mode_inner "$mode")
        check_packet "$text" "$wire" "$mode, ${other#* }"
    done
    mtu=$(within pod1 ip -o link show dev eth0 2> /dev/null | sed -E 's/.* mtu ([0-9]+) .*/\1/')
    expect "$mtu" "^$((1500 - $(mode_overhead "$mode")))\$" "$mode: MTU of a pod"
    printf '== %s: MTU of a pod: %s; ping, with full packets without fragments\n' "$mode" "$mtu"
    for pair in "pod1 $pod2" "pod1 $pod3" "pod3 $pod2"; do
        lost=$(lost "$(within "${pair% *}" ping -n -q -c 20 -i 0.05 -W 3 -M do -s $((mtu - 28)) "${pair#* }" || true)")
        printf '  %s to %s: %s of 20 lost\n' "${pair% *}" "${pair#* }" "${lost:-all}"
        [ "$lost" = 0 ] || wrong=$((wrong + 1))
        loss=$((loss + ${lost:-20}))
    done
    for number in 2 3; do rates+=("$(throughput "pod$number")"); done
    summary+=("$(printf '%-18s %6s %10s %14s %16s' "$mode" "$mtu" "$loss of 60" "${rates[0]}" "${rates[1]}")")
}

check_packet() { # check_packet TEXT plain|vxlan|ipip WHAT
    case "$2" in
        plain)
            expect "$1" '10\.244\.0\.[0-9]+ > 10\.244\.[12]\.[0-9]+: ICMP echo request' "$3"
            refuse "$1" 'VXLAN|IPIP|192\.168\.1\.1' "$3"
            ;;
        vxlan)
            expect "$1" '192\.168\.1\.1\.[0-9]+ > 192\.168\.[12]\.[23]\.4789: VXLAN, flags \[I\] \(0x08\), vni 4096' "$3"
            expect "$1" '10\.244\.0\.[0-9]+ > 10\.244\.[12]\.[0-9]+: ICMP echo request' "$3"
            ;;
        ipip)
            expect "$1" 'proto IPIP \(4\)' "$3"
            expect "$1" '192\.168\.1\.1 > 192\.168\.[12]\.[23]: .*' "$3"
            expect "$1" '10\.244\.0\.[0-9]+ > 10\.244\.[12]\.[0-9]+: ICMP echo request' "$3"
            ;;
    esac
}

# throughput POD: Gbit/s of TCP from pod1 during two seconds, as the receiver counts them.
throughput() {
    local port=$((5200 + ${1#pod})) server
    spawn "$scratch/iperf3.log" nsenter --net="$(netns_path "$1")" -- iperf3 -s -1 -p "$port"
    server=$spawned
    eventually 10 is_served "$1" "$port" || die "iperf3 does not listen in $1"
    within pod1 iperf3 -c "$(pod_address "$1")" -p "$port" -t 2 -f g 2> /dev/null \
        | awk '/receiver/ { print $7 }' || echo -
    # shellcheck disable=SC2086
    stop_process $server
}
is_served() {
    within "$1" awk -v port="$(printf ':%04X' "$2")" \
        '$4 == "0A" && index($2, port) { found = 1 } END { exit !found }' /proc/net/tcp /proc/net/tcp6
}

demo_modes "$@"
printf '\n== in one table (kernel %s)\n' "$(uname -r)"
printf '  %-18s %6s %10s %14s %16s\n' mode MTU lost "Gbit/s within" "Gbit/s between"
printf '  %s\n' "${summary[@]}"
[ "$wrong" = 0 ] || die "$wrong things are not as the modes promise"
