# shellcheck shell=bash
# Sourced after subnets.sh and check.sh: traffic between pod1, pod2 and pod3 while the nodes change their mode, and what is
# on the wire.

# UDP each way between the subnets and within one, so many datagrams a second, and TCP each way, in so many bursts
# of ten full segments a second.
: "${datagrams_per_second:=1000}" "${bursts_per_second:=500}" "${stall:=0.1}" "${patience:=10}"
: "${streamer:=$scratch/stream}"
# stream_tool PATH: the program of the streams. A virtual machine is given it, for there a compiler takes its time.
stream_tool() { show "$(command -v cc || command -v clang)" -O2 -Wall -Wextra -Werror -static -o "$1" "$top/hack/lib/stream.c"; }
declare -A stream
stream_up() { # stream_up NAME POD VERB…
    [ -x "$streamer" ] || stream_tool "$streamer"
    rm -f "$scratch/$1.stream"
    spawn "$scratch/$1.stream" nsenter --net="$(netns_path "$2")" -- "$streamer" "${@:3}"
    stream[$1]=$spawned
}
is_receiving() { grep -qs ready "$scratch/$1.stream"; }
# FROM TO PORT of each stream.
[ -n "${pairs:-}" ] || pairs=("pod1 pod3 5001" "pod3 pod1 5002" "pod1 pod2 5003" "pod2 pod1 5004")
[ -n "${tcp_pairs:-}" ] || tcp_pairs=("pod1 pod3 6001" "pod3 pod1 6002")
streams_up() {
    local pair
    for pair in "${pairs[@]}"; do
        # shellcheck disable=SC2086
        set -- $pair
        stream_up "receive-$3" "$2" udp-receive "$3"
        eventually "$patience" is_receiving "receive-$3"
        stream_up "send-$3" "$1" udp-send "$(pod_address "$2")" "$3" "$datagrams_per_second"
    done
    control_up
    for pair in "${tcp_pairs[@]}"; do
        # shellcheck disable=SC2086
        set -- $pair
        tcp_up "$1" "$2" "$3" "$(pod_address "$2")"
    done
}
tcp_up() { # tcp_up FROM TO PORT ADDRESS
    stream_up "receive-$3" "$2" tcp-receive "$3" "$stall"
    eventually "$patience" is_receiving "receive-$3"
    stream_up "send-$3" "$1" tcp-send "$4" "$3" "$bursts_per_second"
}
# The control: a stream of the same kind between the same nodes that no mode touches, by hand-made routes. When it stands
# still, it is the machine that stands still, which an emulated one does where others compute beside it.
control_up() {
    local number
    if [ ! -e "$(netns_path control1)" ]; then
        for number in 1 3; do
            make_netns "control$number"
            within "node$number" ip link add control0 type veth peer name eth0 netns "$(ns "control$number")"
            within "node$number" ip address add "10.250.$number.1/24" dev control0
            within "node$number" ip link set control0 up
            within "control$number" ip address add "10.250.$number.2/24" dev eth0
            within "control$number" ip link set eth0 up
            within "control$number" ip route add default via "10.250.$number.1"
            within router ip route add "10.250.$number.0/24" via "${node_address[node$number]}"
        done
    fi
    tcp_up control1 control3 6000 10.250.3.2
}
# stalls RECEIVED CONTROL: how many intervals of the one are stalled, how many there are, both without those within a
# second of a stalled one of the control.
stalls() {
    awk -v received="$1" -v control="$2" -v around="$(awk -v stall="$stall" 'BEGIN { print int(1 / stall) }')" 'BEGIN {
        count = split(substr(control, index(control, " at") + 3), moments, " ")
        for (i = 1; i <= count; i++) for (d = -around; d <= around; d++) excused[moments[i] + d] = 1
        count = split(substr(received, index(received, " at") + 3), moments, " ")
        for (i = 1; i <= count; i++) if (!(moments[i] in excused)) found++
        split(substr(received, index(received, " from ")), range, " ")
        for (i = range[2]; i < range[4]; i++) if (!(i in excused)) judged++
        print found + 0, judged + 0, range[4] - range[2] }'
}
stream_down() {
    # shellcheck disable=SC2086
    stop_process ${stream[$1]}
    tail -n 1 "$scratch/$1.stream"
}
# streams_checked SENTENCE: ends the streams and looks at what became of them.
streams_checked() {
    local port sent received lost control found judged all seen
    for port in "${pairs[@]##* }"; do
        sent=$(stream_down "send-$port")
        # What is on its way arrives within a round trip; the receiver's own patience is far longer.
        sleep 0.2
        received=$(stream_down "receive-$port")
        lost=$(awk -v sent="$sent" -v received="$received" \
            'BEGIN { split(sent, s, " "); split(received, r, " ")
                if (s[2] + 0 == 0 || r[1] != "received") print "no stream"; else print s[2] - r[4] + s[4] }')
        check "$1: UDP $port: 0 lost ($sent, $received)" equal 0 "$lost"
    done
    stream_down send-6000 > /dev/null || true
    control=$(stream_down receive-6000)
    for port in "${tcp_pairs[@]##* }"; do
        received=$(stream_down "receive-$port")
        stream_down "send-$port" > /dev/null || true
        read -r found judged all <<< "$(stalls "$received" "$control")"
        seen="$judged of $all intervals, ${received%% from *}; control: ${control%% from *}"
        # Nothing that could be judged is no proof: a stream that has ended says nothing.
        if [ "${all:-0}" -le 0 ] || [[ "$control" == *" stalled 0 "* ]]; then
            [ "${judged:-0}" -gt 0 ] || found="$judged judged"
            check "$1: TCP $port: no $stall s without an octet ($seen)" equal 0 "$found"
        elif [ "$found" = 0 ] && [ "$judged" -gt 0 ]; then
            check "$1: TCP $port: no $stall s without an octet ($seen)" equal 0 "$found"
        else
            skip "$1: TCP $port: no $stall s without an octet" "the machine itself stands still now and then: $seen"
        fi
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
