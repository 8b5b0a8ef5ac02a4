# shellcheck shell=bash
# Sourced after segment.sh: node1 runs apusd and has two scripted peers (hack/lib/bgp_peer.py), which speak from the
# namespaces of the other two: an internal one, AS 64512, and an external one, AS 65010.

internal_peer=(bird "${node_address[bird]}" 64512)
external_peer=(node2 "${node_address[node2]}" 65010)

# What a suite wants the peers' resources to say besides, as lines of their `spec`.
: "${peer_fields:=}"

scripted_peers_up() {
    segment_up node1 node2 bird
    rm "$scratch/resources/node2.yaml" "$scratch/resources/bird.yaml"
    cat > "$scratch/resources/peers.yaml" << YAML
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata:
  name: external
spec:
  peerIP: ${external_peer[1]}
  asNumber: ${external_peer[2]}
  idleHoldTime: 0s
$peer_fields
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata:
  name: internal
spec:
  peerIP: ${internal_peer[1]}
  asNumber: ${internal_peer[2]}
  idleHoldTime: 0s
$peer_fields
YAML
    cat > "$scratch/resources/pool6.yaml" << YAML
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: default-pool-6
spec:
  cidr: fd00::/48
  ipipMode: Never
  vxlanMode: Never
YAML
    start_apusd node1
    eventually 20 is_listening node1
}

# scripted SCRIPT [ARGUMENT…]: runs a Python script of hack/ that speaks for the peers. It is told where they are.
scripted() {
    INTERNAL_PEER="$(netns_path "${internal_peer[0]}") ${internal_peer[1]} ${internal_peer[2]}" \
        EXTERNAL_PEER="$(netns_path "${external_peer[0]}") ${external_peer[1]} ${external_peer[2]}" \
        SPEAKER="${node_address[node1]}" SPEAKER_NAMESPACE="$(netns_path node1)" \
        APUSCTL="$dist/apusctl --run-dir $scratch/node1/run" PYTHONPATH="$top/hack/lib" python3 "$@"
}
