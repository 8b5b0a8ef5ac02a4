# shellcheck shell=bash
# Sourced after segment.sh: the same segment with IPv6 beside IPv4.
#
#   node1  fd00:1::1  block fd00:10:244::/122      node2  fd00:1::2  block fd00:10:244::1:0/122
#   bird   fd00:1::3  block fd00:10:244::2:0/122

declare -A node_address6=([node1]=fd00:1::1 [node2]=fd00:1::2 [bird]=fd00:1::3)
declare -A node_block6=(
    [node1]=fd00:10:244::/122 [node2]=fd00:10:244::1:0/122 [bird]=fd00:10:244::2:0/122)

# dual_stack NODE…: gives nodes that are up their second family. To be called before the daemons start.
dual_stack() {
    local name
    cat > "$scratch/resources/pool6.yaml" << YAML
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: pool6
spec:
  cidr: fd00:10:244::/48
  blockSize: 122
  ipipMode: Never
  vxlanMode: Never
YAML
    for name in "$@"; do
        within "$name" ip address add "${node_address6[$name]}/64" dev eth0 nodad
        [ "$name" != bird ] || within bird sysctl -q -w net.ipv6.conf.all.forwarding=1
        sed -i "s|^    ipv4Address: .*|&\n    ipv6Address: ${node_address6[$name]}/64|" "$scratch/resources/$name.yaml"
        cat >> "$scratch/resources/$name.yaml" << YAML
---
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata:
  name: $name-block6
spec:
  cidr: ${node_block6[$name]}
  node: $name
  state: confirmed
YAML
    done
}
routes6() { within "$1" ip -6 route show | sed 's/ *$//'; }
reaches_block6() {
    routes6 "$1" | grep -Eq "^${node_block6[$2]} via ${node_address6[$2]} dev eth0 proto (apus|97) "
}
owns_block6() { routes6 "$1" | grep -Eq "^blackhole ${node_block6[$1]} dev lo proto (apus|97) "; }
pod_address6() { within "$1" ip -6 -o address show dev eth0 scope global | awk '{ sub("/.*", "", $4); print $4 }'; }
