"""What filters do on running sessions: two scripted peers, an internal and an external one, and resources that change under
them. The sessions must stay up throughout; the last check of all is the one thing that ends one."""
import os
import socket
import struct
import sys
import time

import bgp_peer
from malformed import listed, routes, wait_for

PEERS = {"internal": "INTERNAL_PEER", "external": "EXTERNAL_PEER"}


class Side:
    """One peer's session, and what the daemon has told it: prefix → attributes by type."""

    def __init__(self, name, families=((1, 1),), capabilities=b""):
        self.namespace, self.address, asn = os.environ[PEERS[name]].split()
        self.asn = int(asn)
        self.session = bgp_peer.established(
            self.namespace, self.address, os.environ["SPEAKER"], self.asn, families=families, capabilities=capabilities)
        self.told = {}
        self.asked = 0
        self.withdrawals = 0

    def announce(self, prefix, path=(), communities=(), next_hop=None, local_pref=100):
        """One route, through the peer itself unless said otherwise."""
        path = (self.asn, *path) if self.asn == 65010 else path
        segment = struct.pack("!BB", 2, len(path)) + b"".join(struct.pack("!I", asn) for asn in path) if path else b""
        next_hop = next_hop or self.address
        attributes = b"\x40\x01\x01\x00" + bytes([0x40, 2, len(segment)]) + segment
        is_plain = ":" not in prefix + next_hop
        if is_plain:
            attributes += b"\x40\x03\x04" + octets_of(next_hop)
        if self.asn == 64512:
            attributes += b"\x40\x05\x04" + struct.pack("!I", local_pref)
        if communities:
            attributes += bytes([0xC0, 8, 4 * len(communities)]) + b"".join(struct.pack("!HH", *c) for c in communities)
        if not is_plain:
            value = bytes([0, 2 if ":" in prefix else 1, 1]) + sized(octets_of(next_hop)) + b"\0" + nlri(prefix)
            attributes += bytes([0x80, 14]) + sized(value)
        self.session.send(bgp_peer.message(
            bgp_peer.UPDATE,
            b"\0\0" + struct.pack("!H", len(attributes)) + attributes + (nlri(prefix) if is_plain else b"")))

    def withdraw(self, prefix, multiprotocol=False):
        """Takes one route back; an IPv4 route too by MP_UNREACH_NLRI, if wanted."""
        octets = nlri(prefix)
        if multiprotocol or ":" in prefix:
            attribute = bytes([0x80, 15]) + sized(bytes([0, 2 if ":" in prefix else 1, 1]) + octets)
            self.session.send(bgp_peer.message(
                bgp_peer.UPDATE, b"\0\0" + struct.pack("!H", len(attribute)) + attribute))
            return
        self.session.send(bgp_peer.message(bgp_peer.UPDATE, struct.pack("!H", len(octets)) + octets + b"\0\0"))

    def read(self):
        """Takes in what has come."""
        while True:
            kind, body = self.session.receive(0.05)
            if kind is None:
                return self.told
            if kind == bgp_peer.UPDATE:
                self.take(body)
            self.asked += kind == bgp_peer.ROUTE_REFRESH

    def take(self, body):
        """One UPDATE."""
        withdrawn = int.from_bytes(body[:2], "big")
        end = 4 + withdrawn + int.from_bytes(body[2 + withdrawn : 4 + withdrawn], "big")
        attributes, place = {}, 4 + withdrawn
        while place < end:
            head = 4 if body[place] & 0x10 else 3
            length = int.from_bytes(body[place + 2 : place + head], "big")
            attributes[body[place + 1]] = body[place + head : place + head + length]
            place += head + length
        for prefix in prefixes(body[2 : 2 + withdrawn]):
            self.told.pop(prefix, None)
            self.withdrawals += 1
        for prefix in prefixes(body[end:]):
            self.told[prefix] = attributes


def octets_of(addresses):
    """Addresses as they are in an UPDATE, one or several with commas between."""
    return b"".join(
        socket.inet_pton(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in addresses.split(","))


def sized(octets):
    """Octets behind one that says how many they are."""
    return bytes([len(octets)]) + octets


def nlri(prefix):
    """A prefix as it is in an UPDATE."""
    octets, length = prefix.split("/")
    return bytes([int(length)]) + octets_of(octets)[: (int(length) + 7) // 8]


def prefixes(octets):
    """The prefixes in a field of IPv4 NLRI."""
    place = 0
    while place < len(octets):
        size = (octets[place] + 7) // 8
        address = (octets[place + 1 : place + 1 + size] + b"\0\0\0\0")[:4]
        yield ".".join(map(str, address)) + f"/{octets[place]}"
        place += 1 + size


def disputed():
    """The own blocks that are in conflict."""
    return {block["cidr"] for block in listed("blocks") if block.get("conflict")}


class Resources:
    """The files of the configuration."""

    def __init__(self, directory):
        self.directory = directory
        self.fields = {"external": "", "internal": ""}

    def write(self, name, text):
        """A whole file, by rename."""
        path = os.path.join(self.directory, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def filter(self, name, rules):
        """A BGPFilter of this `spec`, in YAML's flow style."""
        self.write(f"filter-{name}.yaml",
                   f"apiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {{name: {name}}}\nspec: {rules}\n")

    def peer(self, name, fields):
        """Further fields of a BGPPeer, in YAML's flow style."""
        self.fields[name] = fields
        documents = []
        for peer, more in self.fields.items():
            _, address, asn = os.environ[PEERS[peer]].split()
            documents.append(
                f"apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {{name: {peer}}}\n"
                f"spec: {{peerIP: {address}, asNumber: {asn}, idleHoldTime: 0s{more}}}\n")
        self.write("peers.yaml", "---\n".join(documents))

    def advertisements(self, text):
        """The cluster's BGPConfiguration with further fields, the pool beside it as it was."""
        with open(os.path.join(self.directory, "cluster.yaml"), encoding="utf-8") as file:
            documents = file.read().split("---\n")
        head = documents[0].split("  nodeToNodeMeshEnabled")[0] + "  nodeToNodeMeshEnabled: true\n"
        self.write("cluster.yaml", "---\n".join([head + text, *documents[1:]]))


def main():
    """The checks, in an order in which each leaves the next what it needs."""
    results = open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8")

    def check(sentence, read, holds):
        seen = wait_for(read, holds)
        is_good = holds(seen)
        results.write(f"{'passed' if is_good else 'failed'}\t{sentence}\n")
        print(f"  {'ok     ' if is_good else 'FAILED '} {sentence}" + ("" if is_good else f": {seen}"), file=sys.stderr)

    resources = Resources(sys.argv[1])
    external, internal = Side("external"), Side("internal")
    inside, outside, own = "10.244.77.0/26", "172.30.0.0/16", "10.244.0.0/26"
    external.announce(inside)
    external.announce(outside)
    external.announce("10.244.78.0/26", path=(64512,))
    check("a route inside a pool is taken, one outside is not", routes, lambda seen: inside in seen and outside not in seen)
    check("it is passed on to the other peer", internal.read, lambda told: inside in told and outside not in told)

    resources.filter("all", "{importV4: [{action: Accept}], exportV4: []}")
    resources.peer("external", ", filters: [all]")
    check("a filter lets in what the pools do not hold", routes, lambda seen: outside in seen)
    check("which is not passed on", internal.read, lambda told: outside not in told)
    resources.filter("outside", "{exportV4: [{action: Accept, cidr: 172.16.0.0/12, matchOperator: In, "
                     "operations: [{addCommunity: {value: '64512:9'}}, {setPriority: {value: 500}}]}]}")
    resources.peer("internal", ", filters: [outside]")
    check("unless a filter of the other peer says so, changed as it says", internal.read,
          lambda told: told.get(outside, {}).get(8) == struct.pack("!HH", 64512, 9)
          and told[outside].get(5) == struct.pack("!I", 2147483647 - 500))

    resources.filter("outside", "{exportV4: [{action: Accept, cidr: 172.16.0.0/12, matchOperator: In, "
                     "operations: [{addCommunity: {value: '65535:65282'}}]}]}")
    check("NO_ADVERTISE that a filter adds for a peer is told to it", internal.read,
          lambda told: told.get(outside, {}).get(8) == struct.pack("!HH", 65535, 65282))

    resources.filter("all", f"{{importV4: [{{action: Reject, cidr: {inside}, matchOperator: Equal}}, {{action: Accept}}]}}")
    check("a changed filter takes a route out", routes, lambda seen: inside not in seen and outside in seen)
    check("and withdraws it from the other peer", internal.read, lambda told: inside not in told and outside in told)
    resources.filter("all", "{importV4: [{action: Accept, operations: [{prependASPath: {prefix: [65100, 65101]}}]}]}")
    check("the route is back, with two ASes more", internal.read,
          lambda told: told.get(inside, {}).get(2) == struct.pack("!BBIII", 2, 3, 65100, 65101, 65010))

    check("a route with the own AS in its path is refused", routes, lambda seen: "10.244.78.0/26" not in seen)
    resources.peer("external", ", filters: [all], numAllowedLocalASNumbers: 1")
    check("and taken where one is allowed", routes, lambda seen: "10.244.78.0/26" in seen)

    for path, number in (((64512,), 80), ((65010,), 81)):
        external.announce(own, path=path)
        external.announce(f"10.244.{number}.0/26")
        check(f"an own block comes back as 65010 {path[0]}", routes, lambda seen, n=number: f"10.244.{n}.0/26" in seen)
        check("which closes none", disputed, lambda seen: not seen)
    internal.announce(own)
    check("one that somebody else in the AS announces is closed", disputed, lambda seen: own in seen)
    internal.withdraw(own)
    check("until it is withdrawn", disputed, lambda seen: not seen)
    external.withdraw(own)

    resources.advertisements("  communities: [{name: blue, value: '64512:100'}]\n"
                             "  prefixAdvertisements: [{cidr: 10.244.0.0/16, communities: [blue, '64512:1:2']}]\n")
    check("own blocks get the communities of prefixAdvertisements", external.read,
          lambda told: told.get(own, {}).get(8) == struct.pack("!HH", 64512, 100)
          and told[own].get(32) == struct.pack("!III", 64512, 1, 2))
    resources.filter("none", "{exportV4: [{action: Reject}]}")
    resources.peer("external", ", filters: [all, none], numAllowedLocalASNumbers: 1")
    check("a peer that nothing is exported to is told of nothing", external.read, lambda told: not told)

    def asked():
        external.read()
        return external.asked

    check("so far nobody was asked for routes again", asked, lambda seen: seen == 0)
    resources.peer("external", ", filters: [all, none], numAllowedLocalASNumbers: 1, tunnelEncapsulation: true")
    check("a peer whose tunnels are taken from now on is asked for its routes", asked, lambda seen: seen == 1)

    for side, name in ((external, "external"), (internal, "internal")):
        try:
            side.session.drain()
            side.session.send(bgp_peer.message(bgp_peer.KEEPALIVE))
            check(f"the {name} session is the one it was", lambda: True, bool)
        except bgp_peer.Ended as ended:
            check(f"the {name} session is the one it was", lambda: str(ended), lambda seen: False)

    resources.peer("external", ", filters: [all], maximumPrefixes: 10")
    time.sleep(0.5)
    said = None
    try:
        for number in range(20):
            external.announce(f"10.244.{100 + number}.0/26")
        said = external.session.last_notification()
    except bgp_peer.Ended as ended:
        said = ended.notification
    check("more prefixes than allowed end the session with Cease 1", lambda: said, lambda seen: seen == (6, 1))
    results.close()


if __name__ == "__main__":
    main()
