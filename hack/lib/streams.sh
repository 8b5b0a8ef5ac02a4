# shellcheck shell=bash
# Sourced after subnets.sh and check.sh: traffic between pod1, pod2 and pod3 while the nodes change their mode, and what is
# on the wire.

# UDP each way between the subnets and within one, so many datagrams a second, and TCP each way.
: "${datagrams_per_second:=1000}" "${stall:=0.1}" "${patience:=10}"
declare -A stream
stream_up() { # stream_up NAME POD VERB…
    rm -f "$scratch/$1.stream"
    spawn "$scratch/$1.stream" nsenter --net="$(netns_path "$2")" -- python3 "$top/hack/lib/stream.py" "${@:3}"
    stream[$1]=$spawned
}
is_receiving() { grep -q ready "$scratch/$1.stream"; }
pairs=("pod1 pod3 5001" "pod3 pod1 5002" "pod1 pod2 5003" "pod2 pod1 5004")
streams_up() {
    local pair
    for pair in "${pairs[@]}"; do
        # shellcheck disable=SC2086
        set -- $pair
        stream_up "receive-$3" "$2" udp-receive "$3"
        eventually "$patience" is_receiving "receive-$3"
        stream_up "send-$3" "$1" udp-send "$(pod_address "$2")" "$3" "$datagrams_per_second"
    done
    for pair in "pod1 pod3 6001" "pod3 pod1 6002"; do
        # shellcheck disable=SC2086
        set -- $pair
        stream_up "receive-$3" "$2" tcp-receive "$3" "$stall"
        eventually "$patience" is_receiving "receive-$3"
        stream_up "send-$3" "$1" tcp-send "$(pod_address "$2")" "$3"
    done
}
stream_down() {
    # shellcheck disable=SC2086
    stop_process ${stream[$1]}
    tail -n 1 "$scratch/$1.stream"
}
# streams_checked SENTENCE: ends the streams and looks at what became of them.
streams_checked() {
    local port sent received lost
    for port in 5001 5002 5003 5004; do
        sent=$(stream_down "send-$port")
        # What is on its way arrives within a round trip; the receiver's own patience is far longer.
        sleep 0.2
        received=$(stream_down "receive-$port")
        lost=$(awk -v sent="$sent" -v received="$received" \
            'BEGIN { split(sent, s, " "); split(received, r, " "); print s[2] - r[4] + s[4] }')
        check "$1: UDP $port: 0 lost ($sent, $received)" equal 0 "$lost"
    done
    for port in 6001 6002; do
        received=$(stream_down "receive-$port")
        stream_down "send-$port" > /dev/null || true
        check "$1: TCP $port: no $stall s without an octet ($received)" contains_line 'stalled 0 ' "$received"
    done
}

# switched MODE IPIP VXLAN: the nodes' edits come 0, 2 and 5 seconds after the first, under traffic.
switched() {
    local start=$SECONDS index=0 node seconds=(0 2 5)
    streams_up
    for node in "${nodes[@]}"; do
        eventually "$patience" has_passed $((start + seconds[index]))
        set_mode "$node" "$2" "$3"
        index=$((index + 1))
    done
    check "to $1: every node has the routes of the mode" routed "$patience" "$1"
    # A second more: what the last move could have lost would be on its way.
    eventually 5 has_passed $((SECONDS + 2))
    streams_checked "to $1"
}
has_passed() { [ "$SECONDS" -ge "$1" ]; }

# What is on the wire, between two subnets and within one.
captured() { # captured SECONDS NODE FILTER: the packets that match, decoded
    within "$2" timeout "$1" tcpdump -lnv -c 4 -i eth0 "$3" 2> /dev/null || true
}
wire() { # wire NODE FROM TO FILTER: a capture while FROM pings TO
    captured 5 "$1" "$4" > "$scratch/wire" &
    local capture=$!
    within "$2" ping -n -q -c 20 -i 0.1 -W 1 "$(pod_address "$3")" > /dev/null
    wait "$capture"
    cat "$scratch/wire"
}
