"""Cases of the matrix about several paths: add-path both ways, several ways in the kernel, next hops of the other family,
and routes kept long. Each is a function of a `Case`; `CASES` names them, `COLUMNS` their cells.
"""
import json
import time

from lab import Apus, eventually
from speakers import SPEAKERS, Neighbour

COLUMNS = ["paths in", "multipath", "paths out", "v4 over v6", "LLGR helper", "LLGR kept"]
AS, EVERYWHERE = 65001, "10.244.200.0/26"
SESSION_SECONDS = 40


def announce_everywhere(apus, is_announced=True):
    """The node announces a block that another node announces too, or no longer does."""
    apus.write("everywhere.yaml", json.dumps({
        "apiVersion": "projectcalico.org/v3", "kind": "BlockAffinity", "metadata": {"name": "everywhere"},
        "spec": {"cidr": EVERYWHERE if is_announced else "10.244.201.0/26", "node": apus.node, "state": "confirmed"}}))


def sources(lab, peer_address):
    """Two nodes that announce one block to a reflector."""
    nodes = [Apus(lab, AS) for _ in range(2)]
    for node in nodes:
        announce_everywhere(node)
        node.add_peer("reflector", peer_address(), AS)
    return nodes


def address(node):
    """The address of a member."""
    return f"192.168.1.{node.number}"


def kernel_ways(lab, namespace, prefix):
    """The gateways of the kernel's route to a prefix."""
    shown = json.loads(lab.run(namespace, ["ip", "-j", "route", "show", prefix, "proto", "97"]) or "[]")
    ways = set()
    for route in shown:
        for hop in route.get("nexthops", [route]):
            ways.add(hop.get("gateway") or hop.get("via", {}).get("host"))
    return ways - {None}


def received(case):
    """The speaker reflects the paths of two nodes to a third, whose kernel has both ways; then one goes."""
    peer = SPEAKERS[case.speaker](case.lab, AS)
    nodes = sources(case.lab, lambda: peer.address4)
    target = Apus(case.lab, AS)
    target.add_peer("reflector", peer.address4, AS)
    for node in [*nodes, target]:
        peer.neighbours.append(Neighbour(node.number, AS, client=True))
        node.start()
    peer.start()
    for node in [*nodes, target]:
        case.check("paths in", "no session", lambda n=node: n.up(peer.address4), SESSION_SECONDS)
    expected = {address(node) for node in nodes}

    def rows():
        return [row for row in target.ctl("bgp", "received", peer.address4).get("items", [])
                if row["prefix"] == EVERYWHERE]

    case.check("paths in", "two paths did not reach Apus", lambda: {row["nextHop"] for row in rows()} == expected
               and len({row["pathID"] for row in rows()}) == 2)
    case.check("multipath", "the kernel has not both ways",
               lambda: kernel_ways(case.lab, target.namespace, EVERYWHERE) == expected)
    chosen = target.route(EVERYWHERE) or {}
    case.check("multipath", f"get routes shows {chosen.get('nextHop')}",
               lambda: all(hop in chosen.get("nextHop", "") for hop in expected), 1)
    why = "\n".join(target.ctl("bgp", "why", EVERYWHERE).get("lines", []))
    case.check("multipath", f"bgp why says {why!r}", lambda: "as good, used too" in why and "2 ways" in why, 1)
    announce_everywhere(nodes[0], False)
    case.check("paths in", "a withdrawn path stayed", lambda: len(rows()) == 1)
    case.check("multipath", "a way that is gone stayed",
               lambda: kernel_ways(case.lab, target.namespace, EVERYWHERE) == {address(nodes[1])})


def sent(case):
    """Apus reflects the paths of two nodes to the speaker; then one goes."""
    reflector = Apus(case.lab, AS, cluster="244.0.0.1")
    nodes = sources(case.lab, lambda: address(reflector))
    for node in nodes:
        reflector.add_peer(node.node, address(node), AS)
        node.start()
    peer = SPEAKERS[case.speaker](case.lab, AS)
    peer.neighbours.append(Neighbour(reflector.number, AS))
    reflector.add_peer("speaker", peer.address4, AS)
    reflector.start()
    peer.start()
    case.check("paths out", "no session", lambda: reflector.up(peer.address4), SESSION_SECONDS)
    expected = {address(node) for node in nodes}
    case.check("paths out", "two paths did not reach the peer", lambda: peer.next_hops(EVERYWHERE) == expected, 30)
    announce_everywhere(nodes[0], False)
    case.check("paths out", "a withdrawn path stayed", lambda: peer.next_hops(EVERYWHERE) == {address(nodes[1])})


def over_ipv6(case):
    """No IPv4 address anywhere: IPv4 routes with IPv6 next hops, both ways."""
    apus = Apus(case.lab, AS)
    text = apus.RESOURCES.replace("ipv4Address: 192.168.1.{number}/24, ", "").format(
        asn=AS, node=apus.node, number=apus.number, cluster="")
    apus.write("node.yaml", text)
    peer = SPEAKERS[case.speaker](case.lab, 65002)
    peer.is_over_ipv6 = True
    neighbour = Neighbour(apus.number, AS)
    neighbour.families = neighbour.families[1:]
    peer.neighbours.append(neighbour)
    for member in (apus, peer):
        case.lab.ip(member.namespace, "-4", "address", "flush", "dev", "eth0")
    apus.add_peer("v6", peer.address6, 65002)
    apus.start()
    peer.start()
    if not case.check("v4 over v6", "no session", lambda: apus.up(peer.address6), SESSION_SECONDS):
        return
    case.check("v4 over v6", f"{peer.prefix4} is not in the kernel by {peer.address6}",
               lambda: kernel_ways(case.lab, apus.namespace, peer.prefix4) == {peer.address6})
    case.check("v4 over v6", "the node's block did not reach the peer by its IPv6 address",
               lambda: peer.next_hops(f"10.244.{apus.number}.0/26") == {f"fd00:1::{apus.number}"})


def kept_long(case):
    """Each side is gone for longer than its restart time of two seconds, and has asked for a minute more (RFC 9494)."""
    apus = Apus(case.lab, AS)
    peer = SPEAKERS[case.speaker](case.lab, AS)
    peer.long_lived_seconds = 60
    neighbour = Neighbour(apus.number, AS)
    neighbour.families = neighbour.families[:1]
    peer.neighbours.append(neighbour)
    apus.add_peer("v4", peer.address4, AS, maxRestartTime="2s", longLivedStaleTime="60s", keepaliveTime="1s")
    apus.start()
    peer.start()
    ours = f"10.244.{apus.number}.0/26"
    if not case.check("LLGR helper", "no session", lambda: apus.up(peer.address4), SESSION_SECONDS):
        return
    case.check("LLGR helper", "the peer's route is not there", lambda: apus.route(peer.prefix4))
    case.check("LLGR kept", "the node's route is not there", lambda: peer.route(ours))

    def communities():
        rows = apus.ctl("bgp", "received", peer.address4).get("items", [])
        return [row["communities"] for row in rows if row["prefix"] == peer.prefix4]

    peer.kill()
    case.check("LLGR helper", "the route was not marked after the restart time",
               lambda: any("65535:6" in text for text in communities()))
    case.check("LLGR helper", "the marked route is not in the kernel",
               lambda: kernel_ways(case.lab, apus.namespace, peer.prefix4) == {peer.address4}, 1)
    peer.start(restarting=True)
    case.check("LLGR helper", "the mark stayed on a route that was announced again",
               lambda: apus.up(peer.address4) and communities() and "65535:6" not in communities()[0], SESSION_SECONDS)
    case.check("LLGR kept", "the node's route did not come back", lambda: peer.route(ours), SESSION_SECONDS)
    time.sleep(1)
    apus.kill()
    case.check("LLGR kept", "the peer did not mark the route", lambda: peer.is_marked_long_lived(ours))
    time.sleep(1)
    case.check("LLGR kept", "the peer dropped the route", lambda: peer.route(ours), 1)


CASES = {"received": received, "sent": sent, "over6": over_ipv6, "long": kept_long}
