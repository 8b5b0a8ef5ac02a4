# shellcheck shell=bash
# Sourced after segment.sh: what the kernel tracks of a pod's connections goes with the pod; what it tracks of others stays.

track() { # track NODE: its kernel tracks connections from now on
    within "$1" nft 'add table ip track; add chain ip track input { type filter hook input priority 0; };
        add rule ip track input ct state new accept; add chain ip track output { type filter hook output priority 0; };
        add rule ip track output ct state new accept'
}
tracked() { # tracked NODE ADDRESS: how many connections have that source on one of their ways
    within "$1" cat /proc/net/nf_conntrack | awk -v want="src=$2" '$0 ~ want " " { n++ } END { print n + 0 }'
}
connections() { # connections NODE POD WHO: a pod that talks to its node, and is talked to, is deleted
    local address node=${node_address[$1]}
    add_pod "$1" "$2" > /dev/null
    address=$(pod_address "$2")
    within "$2" bash -c "for port in 5001 5002 5003; do echo x > /dev/udp/$node/\$port; done" || true
    within "$1" bash -c "for port in 6001 6002; do echo x > /dev/udp/$address/\$port; done" || true
    within "$1" bash -c "echo x > /dev/udp/$node/7001" || true
    check "$3: five connections of a pod are tracked" equal 5 "$(tracked "$1" "$address")"
    del_pod "$1" "$2"
    # The address may be another pod's from now on.
    check "$3: after DEL none is" equal 0 "$(tracked "$1" "$address")"
    check "$3: the node's own still is" test "$(tracked "$1" "$node")" -ge 1
}
