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

# The checksum offload of tunl0 is tried, too: node1 gets a network card that computes no checksum inside of a tunnel.
offload() { within node1 python3 "$top/hack/lib/checksum_offload.py" tunl0 "$@"; }
offload_is() { [ "$(offload)" = "$1" ]; }
said() { grep -aq -- "$1" "$scratch/node1/apusd.log"; }
check "tunl0: behind a sound card the offload is found to work" eventually "$patience" said "checksum offload works"
check "tunl0: and is on" offload_is on
make_netns card
within router ip link set node1 netns "$(ns card)"
within router ip link add card type veth peer name router netns "$(ns card)"
within router ip link set card master br1 up
for link in node1 router; do
    within card ip link set "$link" up
    within card sysctl -q -w "net.ipv6.conf.$link.disable_ipv6=1"
done
spawn "$scratch/card.log" nsenter --net="$(netns_path card)" -- python3 "$top/hack/lib/half_card.py" node1 router
card=$spawned
eventually "$patience" grep -qs carrying "$scratch/card.log" || die "the card does not work: $(cat "$scratch/card.log")"
check "tunl0: behind a card that knows no tunnels the nodes see each other" \
    eventually "$patience" within node1 ping -n -q -c 1 -W 1 "${node_address[node2]}"
stop_daemon node1
start_node node1 --tunnel-grace 3
check "tunl0: the daemon finds out that packets do not arrive" \
    eventually "$patience" said "checksum offload is turned off: packets whose inner checksum"
check "tunl0: the offload is off" eventually "$patience" offload_is off
check "tunl0: node status says so" \
    contains "Checksum offload of tunl0 is off: packets that rely on it do not arrive" "$(apusctl_in node1 node status)"
datagram() { within pod1 python3 -c '
import socket, sys
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(2)
link.connect((sys.argv[1], 9))
link.send(b"?")
try:
    link.recv(1)
except ConnectionRefusedError:
    print("came through")
except OSError as error:
    sys.exit(str(error))' "$(pod_address pod2)"; }
check "tunl0: a pod's datagram comes through" eventually "$patience" datagram
stop_daemon node1
offload on
check "tunl0: with the offload on, and nobody to try it, it does not" fails datagram
# shellcheck disable=SC2086
stop_process $card
within card ip link set node1 netns "$(ns router)"
within router ip link del card
within router ip link set node1 master br1 up
start_node node1 --tunnel-grace 3
check "tunl0: with the sound card again all routes are there" routed 120 ipip
check "tunl0: and the offload is on" offload_is on

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
