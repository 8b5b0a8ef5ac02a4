# shellcheck shell=bash
# Sourced after segment.sh: three nodes in two subnets, with a router between them, in place of the one segment.
#
#   node1  192.168.1.1  block 10.244.0.0/26 ─┐
#   node2  192.168.1.2  block 10.244.1.0/26 ─┴─ 192.168.1.254 ┐
#                                                              router (knows every block, for the plain routes)
#   node3  192.168.2.3  block 10.244.2.0/26 ─── 192.168.2.254 ┘
#
# Each node reads resources of its own, so that their configurations can change at different moments.

node_address[node3]=192.168.2.3
node_block[node3]=10.244.2.0/26
nodes=(node1 node2 node3)
subnet_of() { echo "${node_address[$1]%.*}"; }

subnets_up() {
    local name
    mkdir -m 0700 "$scratch" || die "$scratch exists: another run's"
    defer rm -rf "$scratch"
    network=$(python3 "$top/hack/lib/conflist.py" --name "$top/cni-conf/10-apus-bgp.conflist")
    make_netns router
    within router sysctl -q -w net.ipv4.ip_forward=1
    for name in 1 2; do
        within router ip link add "br$name" type bridge
        within router ip address add "192.168.$name.254/24" dev "br$name"
        within router ip link set "br$name" up
    done
    write_resources "$scratch/resources" "${nodes[@]}"
    for name in "${nodes[@]}"; do
        attach_to_subnet "$name"
        cp -r "$scratch/resources" "$scratch/$name/resources"
    done
}

attach_to_subnet() {
    local subnet
    subnet=$(subnet_of "$1")
    make_netns "$1"
    within router ip link add "$1" type veth peer name eth0 netns "$(ns "$1")"
    within router ip link set "$1" master "br${subnet##*.}" up
    within "$1" ip address add "${node_address[$1]}/24" dev eth0
    within "$1" ip link set eth0 up
    within "$1" ip route add default via "$subnet.254"
    within router ip route add "${node_block[$1]}" via "${node_address[$1]}"
    mkdir -p "$scratch/$1/net.d"
    python3 "$top/hack/lib/conflist.py" "$top/cni-conf/10-apus-bgp.conflist" "$scratch/$1/run" \
        | sed '/"mode":/d' > "$scratch/$1/net.d/10-apus-bgp.conflist"
}

# start_node NODE [OPTION…]: its daemon, with the resources of its own.
start_node() {
    mkdir -p "$scratch/$1"
    spawn "$scratch/$1/apusd.log" nsenter --net="$(netns_path "$1")" -- "$dist/apusd" --node "$1" \
        --config "$scratch/$1/resources" --run-dir "$scratch/$1/run" --state-dir "$scratch/$1/state" "${@:2}"
    daemon[$1]=$spawned
}

# set_mode NODE IPIP VXLAN: edits the pool in that node's resources.
set_mode() {
    sed "s/ipipMode: .*/ipipMode: $2/; s/vxlanMode: .*/vxlanMode: $3/" "$scratch/$1/resources/cluster.yaml" \
        > "$scratch/$1/edited"
    mv "$scratch/$1/edited" "$scratch/$1/resources/cluster.yaml"
}

# The route of NODE to OTHER's block in a mode; crosssubnet is over $inner.
tunnel_address() { echo "${node_block[$1]%/*}"; }
route_by_bgp() {
    local gateway=${node_address[$2]}
    [ "$(subnet_of "$1")" = "$(subnet_of "$2")" ] || gateway="$(subnet_of "$1").254"
    echo "${node_block[$2]} via $gateway dev eth0 proto apus"
}
route_by_vxlan() { echo "${node_block[$2]} via $(tunnel_address "$2") dev vxlan.calico proto apus onlink"; }
route_by_ipip() { echo "${node_block[$2]} via ${node_address[$2]} dev tunl0 proto apus onlink"; }
route_by_crosssubnet() {
    if [ "$(subnet_of "$1")" = "$(subnet_of "$2")" ]; then route_by_bgp "$@"; else "route_by_${inner:-vxlan}" "$@"; fi
}
has_line() { routes "$1" | grep -Fx -- "$2" > /dev/null; }

# routed SECONDS MODE: every node reaches every other's block as in that mode.
routed() {
    local node other
    for node in "${nodes[@]}"; do
        for other in "${nodes[@]}"; do
            [ "$node" = "$other" ] && continue
            eventually "$1" has_line "$node" "$("route_by_$2" "$node" "$other")" \
                || not_ready "$node" "the block of $other by $2" || return 1
        done
    done
}
