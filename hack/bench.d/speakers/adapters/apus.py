"""apusd, configured by resources. The pool belongs to other nodes, so that apusd takes no block of its own."""
import os

DIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 4, "dist")
FEATURES = {"fib", "bfd", "rr"}


def resource(kind, name, spec):
    return f"apiVersion: projectcalico.org/v3\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


def setup(s):
    is_reflector = any(peer.client for peer in s.peers)
    program = "Enabled" if s.fib else "Disabled"
    documents = [
        resource("BGPConfiguration", "default", f"asNumber: {s.asn}, nodeToNodeMeshEnabled: false, "
                 f"listenPort: {s.port}, programClusterRoutes: {program}"),
        resource("Node", "bench", f"bgp: {{ipv4Address: {s.ip}/16"
                 + (f", routeReflectorClusterID: {s.rid}" if is_reflector else "") + "}"),
        resource("IPPool", "bench", 'cidr: 16.0.0.0/4, blockSize: 26, ipipMode: Never, nodeSelector: "!all()"'),
    ]
    for place, peer in enumerate(s.peers):
        bfd = ", bfd: {minRx: 100ms, minTx: 100ms, multiplier: 3}" if peer.bfd else ""
        documents.append(resource("BGPPeer", f"peer{place}", f"peerIP: {peer.ip}, asNumber: {peer.asn}{bfd}"))
    command = [f"{DIST}/apusd", "--node", "bench", "--config", f"{s.dir}/apus.yaml",
               "--run-dir", f"{s.dir}/run", "--state-dir", f"{s.dir}/state"]
    return {"apus.yaml": "---\n".join(documents)}, [command]
