#!/usr/bin/env bash
# The part of hack/test ipip that runs in the virtual machine: ipip and its crosssubnet on three nodes in two subnets,
# changed under traffic. The machine is ten to thirty times slower than its host: fewer datagrams, more patience.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/run.sh"
. "$top/hack/lib/check.sh"
. "$top/hack/lib/segment.sh"
. "$top/hack/lib/subnets.sh"
datagrams_per_second=100 patience=60 stall=1 inner=ipip
. "$top/hack/lib/streams.sh"

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
has_ipip_route() { has_line node1 "$(route_by_ipip node1 node3)"; }
within node1 ip route del 10.244.2.0/26
check "ipip: a route that somebody deletes is back" eventually 10 has_ipip_route
has_address() { within node1 ip address show dev tunl0 | grep -q 'inet 10.244.0.0/32'; }
within node1 ip address flush dev tunl0
check "ipip: so is the device's address" eventually 10 has_address

switched crosssubnet CrossSubnet Never
check "crosssubnet: between the subnets it is protocol 4" \
    contains_line 'proto(col)? IPIP \(4\)' "$(wire node1 pod1 pod3 'ip proto 4')"
check "crosssubnet: within the subnet it is the bare packet" \
    contains_line "$(pod_address pod1) > $(pod_address pod2): ICMP" "$(wire node1 pod1 pod2 'icmp')"

switched vxlan Never Always
switched bgp Never Never
is_stripped() { ! within "$1" ip link show dev tunl0 | grep -q '[<,]UP[,>]' && ! has_any_address "$1"; }
has_any_address() { within "$1" ip -4 address show dev tunl0 | grep -q inet; }
for node in "${nodes[@]}"; do
    check "bgp: tunl0 of $node is stripped, not deleted" eventually 60 is_stripped "$node"
done
