#!/usr/bin/env bash
# ipip.sh STREAMER: the part of hack/test ipip that runs in the virtual machine: ipip and its crosssubnet on three nodes
# in two subnets, changed under traffic. The machine is ten to thirty times slower than its host: fewer streams and bursts
# of TCP than natively, and more patience, but no fewer datagrams a second in each. TCP is stalled after 0.2 s, the least
# that a lost segment costs; shorter pauses are the emulator's.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/run.sh"
. "$top/hack/lib/check.sh"
. "$top/hack/lib/segment.sh"
. "$top/hack/lib/subnets.sh"
streamer=$1
bursts_per_second=50 stall=0.2 patience=60 inner=ipip
far=("pod1 pod3 5001" "pod3 pod1 5002" "pod1 pod3 6001")
near=("pod1 pod2 5001" "pod2 pod1 5002" "pod1 pod2 6001")
between() { pairs=("$1" "$2") tcp_pairs=("$3"); }
between "${far[@]}"
. "$top/hack/lib/streams.sh"

# While an emulated processor stands still, packets of some tenths of a second wait to be received.
sysctl -q -w net.core.netdev_max_backlog=20000
subnets_up
for node in "${nodes[@]}"; do
    within "$node" sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
    start_node "$node" --tunnel-grace 3
done
check "bgp: every node reaches the others' blocks by plain routes" routed 120 bgp
for number in 1 2 3; do add_pod "node$number" "pod$number" > /dev/null; done

switched ipip Always Never
device=$(within node1 ip -d link show dev tunl0)
check "ipip: the device is Calico's, up and 20 smaller than the NIC" contains_line 'tunl0.*[<,]UP[,>].* mtu 1480' "$device"
check "ipip: it has the first address of the node's block" \
    contains 'inet 10.244.0.0/32' "$(within node1 ip address show dev tunl0)"
check "ipip: on the wire it is protocol 4, the pods' packet inside" \
    contains_line 'proto(col)? IPIP \(4\)' "$(wire node1 pod1 pod2 'ip proto 4')"

# Forged headers: what arrives at the pod is what a capture there shows.
make_netns stranger
within router ip link add stranger type veth peer name eth0 netns "$(ns stranger)"
within router ip link set stranger master br1 up
within stranger ip address add 192.168.1.66/24 dev eth0
within stranger ip link set eth0 up
spawn "$scratch/forged" nsenter --net="$(netns_path pod1)" -- tcpdump -lnp -i eth0 'udp dst port 40001'
capture=$spawned
is_capturing() { grep -qs 'listening on' "$scratch/forged"; }
eventually "$patience" is_capturing
wrapped() { # wrapped FROM SOURCE: ten packets of protocol 4 for pod1 from that namespace and address
    within "$1" python3 "$top/hack/lib/wrapped.py" "$2" "${node_address[node1]}" ipip 10.244.1.9 "$(pod_address pod1)"
}
captured_forged() { [ "$(grep -c '10.244.1.9.40000 > ' "$scratch/forged")" = "$1" ]; }
dropped() {
    [ "$(within "$1" nft list chain inet apus "$2" | grep 'ipencap\|protocol 4 ' | grep -Eo 'packets [0-9]+' \
        | awk '{ n += $2 } END { print n + 0 }')" -ge 10 ]
}
wrapped node2 "${node_address[node2]}"
check "ipip: ten wrapped packets from a node arrive at the pod" eventually "$patience" captured_forged 10
wrapped stranger 192.168.1.66
check "ipip: the same from a stranger are dropped" eventually "$patience" dropped node1 tunnels
check "ipip: and the capture shows none of them" captured_forged 10
within pod1 python3 "$top/hack/lib/wrapped.py" "$(pod_address pod1)" "${node_address[node2]}" ipip 10.244.0.9 10.244.1.9
check "ipip: a pod's own wrapped packets to a node are dropped" eventually "$patience" dropped node1 pod-tunnels
# shellcheck disable=SC2086
stop_process $capture

has_ipip_route() { has_line node1 "$(route_by_ipip node1 node3)"; }
within node1 ip route del 10.244.2.0/26
check "ipip: a route that somebody deletes is back" eventually 10 has_ipip_route
has_address() { within node1 ip address show dev tunl0 | grep -q 'inet 10.244.0.0/32'; }
within node1 ip address flush dev tunl0
check "ipip: so is the device's address" eventually 10 has_address

# Within the subnet is what changes.
between "${near[@]}"
switched crosssubnet CrossSubnet Never
check "crosssubnet: between the subnets it is protocol 4" \
    contains_line 'proto(col)? IPIP \(4\)' "$(wire node1 pod1 pod3 'ip proto 4')"
check "crosssubnet: within the subnet it is the bare packet" \
    contains_line "$(pod_address pod1) > $(pod_address pod2): ICMP" "$(wire node1 pod1 pod2 'icmp')"

between "${far[@]}"
switched bgp Never Never
is_stripped() { ! within "$1" ip link show dev tunl0 | grep -q '[<,]UP[,>]' && ! has_any_address "$1"; }
has_any_address() { within "$1" ip -4 address show dev tunl0 | grep -q inet; }
for node in "${nodes[@]}"; do
    check "bgp: tunl0 of $node is stripped, not deleted" eventually 60 is_stripped "$node"
done

# A kernel before 6.12 deletes no connections by an address alone.
. "$top/hack/lib/connections.sh"
make_netns talker
track node1
connections node1 talker "with the daemon"
stop_daemon node1
connections node1 talker "without it"
