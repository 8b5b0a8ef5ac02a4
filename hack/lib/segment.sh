# shellcheck shell=bash
# Sourced after run.sh: a segment of nodes in network namespaces, all named apus-<run id>-<name>.
#
#   node1  192.168.1.1  block 10.244.0.0/26 ─┐
#   node2  192.168.1.2  block 10.244.1.0/26 ─┼─ bridge in a namespace of its own (switch)
#   bird   192.168.1.3  block 10.244.2.0/26 ─┘

: "${run_id:=$(new_run_id)}"
: "${block_size:=26}"
scratch="${TMPDIR:-/tmp}/apus-$run_id"

declare -A node_address=([node1]=192.168.1.1 [node2]=192.168.1.2 [bird]=192.168.1.3)
declare -A node_block=(
    [node1]="10.244.0.0/$block_size" [node2]="10.244.1.0/$block_size" [bird]="10.244.2.0/$block_size")
# What a suite wants apusd to be started with beside the usual.
apusd_options=()
# The command that a suite wants apusd to be run by.
apusd_runner=()
# name → "PID START" of the apusd or bird that runs there.
declare -A daemon

ns() { echo "apus-$run_id-$1"; }
netns_path() { echo "/run/netns/$(ns "$1")"; }
# within NAME COMMAND…: the command in that namespace; the id of the process stays the command's own.
within() {
    local path
    path=$(netns_path "$1")
    shift
    nsenter --net="$path" -- "$@"
}

remove_netns() { [ ! -e "/run/netns/$1" ] || ip netns del "$1"; }
# A name that exists is somebody else's: `ip netns add` fails, and so does the run.
make_netns() {
    ip netns add "$(ns "$1")" || die "cannot make the network namespace $(ns "$1")"
    defer remove_netns "$(ns "$1")"
    within "$1" ip link set lo up
}

segment_up() {
    local name
    mkdir -m 0700 "$scratch" || die "$scratch exists: another run's"
    defer rm -rf "$scratch"
    network=$(python3 "$top/hack/lib/conflist.py" --name "$top/cni-conf/10-apus-bgp.conflist")
    make_netns switch
    within switch ip link add br0 type bridge
    within switch ip link set br0 up
    for name in "$@"; do attach "$name"; done
    write_resources "$scratch/resources" "$@"
}

attach() {
    make_netns "$1"
    within switch ip link add "$1" type veth peer name eth0 netns "$(ns "$1")"
    within switch ip link set "$1" master br0 up
    within "$1" ip address add "${node_address[$1]}/24" dev eth0
    within "$1" ip link set eth0 up
    mkdir -p "$scratch/$1/net.d"
    python3 "$top/hack/lib/conflist.py" "$top/cni-conf/10-apus-bgp.conflist" "$scratch/$1/run" \
        > "$scratch/$1/net.d/10-apus-bgp.conflist"
}

# write_resources DIR NODE…: one directory of resources for all nodes, as a cluster has it.
write_resources() {
    local directory=$1 name
    shift
    mkdir -p "$directory"
    cat > "$directory/cluster.yaml" << YAML
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata:
  name: default
spec:
  asNumber: 64512
  nodeToNodeMeshEnabled: true
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: default-pool
spec:
  cidr: 10.244.0.0/16
  blockSize: $block_size
  ipipMode: Never
  vxlanMode: Never
YAML
    for name in "$@"; do
        cat > "$directory/$name.yaml" << YAML
apiVersion: projectcalico.org/v3
kind: Node
metadata:
  name: $name
spec:
  bgp:
    ipv4Address: ${node_address[$name]}/24
---
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata:
  name: $name-$(echo "${node_block[$name]}" | tr './' '--')
spec:
  cidr: ${node_block[$name]}
  node: $name
  state: confirmed
YAML
    done
}

start_apusd() {
    mkdir -p "$scratch/$1"
    spawn "$scratch/$1/apusd.log" "${apusd_runner[@]}" nsenter --net="$(netns_path "$1")" -- "$dist/apusd" --node "$1" \
        --config "${2:-$scratch/resources}" --run-dir "$scratch/$1/run" --state-dir "$scratch/$1/state" \
        "${apusd_options[@]}"
    daemon[$1]=$spawned
}
# shellcheck disable=SC2086
kill_daemon() { kill_process ${daemon[$1]}; }
# shellcheck disable=SC2086
stop_daemon() { stop_process ${daemon[$1]}; }

# BIRD is a node of the mesh like the others: iBGP to both, graceful restart, its block on its loopback.
# Arguments are BIRD's own: -R after a kill, for a graceful restart.
start_bird() {
    local peer
    {
        cat << CONF
router id ${node_address[bird]};
# BIRD reckons these times anew for each reader, a millisecond off: in minutes they print the same twice.
timeformat protocol "%H:%M";
log "$scratch/bird/bird.log" all;
protocol device { }
# The segment's own route: BIRD resolves the next hops of iBGP over its table.
protocol direct { ipv4; interface "eth0"; }
protocol kernel { ipv4 { import none; export where source != RTS_DEVICE; }; }
protocol static blocks { ipv4; route ${node_block[bird]} blackhole;
include "$scratch/bird/more-*.conf";
}
CONF
        for peer in node1 node2; do
            cat << CONF
protocol bgp $peer {
    local ${node_address[bird]} as 64512;
    neighbor ${node_address[$peer]} as 64512;
    graceful restart on;
    connect delay time 1;
    connect retry time 5;
    ipv4 { import all; export where proto = "blocks"; next hop self; };
}
CONF
        done
    } > "$scratch/bird/bird.conf"
    within bird ip address replace "$(bird_pod_address)/32" dev lo
    spawn "$scratch/bird/stderr.log" nsenter --net="$(netns_path bird)" -- bird -f -c "$scratch/bird/bird.conf" \
        -s "$scratch/bird/bird.ctl" -P "$scratch/bird/bird.pid" "$@"
    daemon[bird]=$spawned
}
bird_pod_address() { echo 10.244.2.1; }
bird_show() { birdc -s "$scratch/bird/bird.ctl" show "$@"; }

# apusctl_in NODE …: the socket answers only those who are in the daemon's own network namespace.
apusctl_in() { within "$1" timeout 5 "$dist/apusctl" --run-dir "$scratch/$1/run" "${@:2}"; }

# Pods: a namespace each, added and removed by the CNI client in the node's namespace. CNI's own variables of the
# caller are not passed on: they would change what is tested.
cnitool_in() {
    local node=$1
    shift
    within "$node" env -u CNI_ARGS -u CAP_ARGS -u CNI_IFNAME CNI_PATH="$dist" \
        NETCONFPATH="$scratch/$node/net.d" CNI_CACHE_DIR="$scratch/$node/cni" "$dist/cnitool" "$@"
}
add_pod() { # add_pod NODE POD: the CNI result on stdout
    [ -e "$(netns_path "$2")" ] || make_netns "$2"
    cnitool_in "$1" add "$network" "$(netns_path "$2")"
}
del_pod() { cnitool_in "$1" del "$network" "$(netns_path "$2")"; }
pod_address() { within "$1" ip -4 -o address show dev eth0 | awk '{ sub("/.*", "", $4); print $4 }'; }

# Routes as `ip` prints them, without the trailing blanks it leaves.
routes() { within "$1" ip "${@:2}" route show | sed 's/ *$//'; }
# Not grep -q: it ends at the first match, and whoever writes a long table into the pipe dies of it.
has_route() { routes "$1" | grep -E -- "$2" > /dev/null; }
# A route of a thousand names a next hop of its own.
reaches_block() {
    has_route "$1" "^${node_block[$2]} (nhid [0-9]+ )?via ${node_address[$2]} dev eth0 proto (apus|97)\$"
}
owns_block() { has_route "$1" "^blackhole ${node_block[$1]} proto (apus|97)\$"; }
is_listening() { [ -S "$scratch/$1/run/apusd.sock" ]; }

# ready SECONDS NODE…: each node (bird apart) has its own block and the way to all the others'.
ready() {
    local seconds=$1 node other
    shift
    for node in "$@"; do
        [ "$node" = bird ] && continue
        eventually "$seconds" owns_block "$node" || not_ready "$node" "its own block ${node_block[$node]}"
        for other in "$@"; do
            [ "$other" = "$node" ] && continue
            eventually "$seconds" reaches_block "$node" "$other" || not_ready "$node" "the block of $other"
        done
    done
}
not_ready() {
    say "$1 has no route for $2. Its routes:"
    routes "$1" >&2
    say "The last lines of its log:"
    tail -n 30 "$scratch/$1/apusd.log" >&2
    return 1
}

# lost PING-OUTPUT: transmitted minus received.
lost() { sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' <<< "$1" | awk '{ print $1 - $2 }'; }

# is_monitoring NAME PID: that process listens to netlink groups in that namespace (so nothing from now on is missed).
is_monitoring() {
    within "$1" awk -v id="$2" '$2 == 0 && $3 == id && $4 != "00000000" { found = 1 } END { exit !found }' \
        /proc/net/netlink
}
