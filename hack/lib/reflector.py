#!/usr/bin/env python3
"""A route reflector that speaks for many nodes in VXLAN mode: reflector.py ADDRESS NODES BLOCKS RESOURCES

With RESOURCES it writes the Node resources of those nodes into that file and ends. Without, it waits at ADDRESS, port 179,
for one session (iBGP, AS 64512), announces every node's blocks, each node with its own next hop and tunnel endpoint
(RFC 9012), says End-of-RIB, and on every line of its standard input withdraws what the next node has announced.
"""
import hashlib
import ipaddress
import struct
import sys

from mesh_peer import END_OF_RIB, accepted, attribute, tunnel, update, withdrawal

POOL = int(ipaddress.ip_address("10.64.0.0"))


def node_name(index):
    return f"far{index}"


def node_address(index):
    return ipaddress.ip_address(f"192.168.{4 + index // 250}.{1 + index % 250}")


def node_mac(index):
    return b"\x66" + hashlib.sha1(node_name(index).encode()).digest()[:5]


def blocks(index, count):
    return [ipaddress.ip_address(POOL + (index * count + number) * 64) for number in range(count)]


def announcement(index, count):
    address, own = node_address(index).packed, blocks(index, count)
    attributes = (
        attribute(0x40, 1, b"\0") + attribute(0x40, 2, b"") + attribute(0x40, 3, address)
        + attribute(0x40, 5, struct.pack("!I", 100)) + attribute(0x80, 9, address)
        + attribute(0x80, 10, ipaddress.ip_address("192.168.1.100").packed)
        + tunnel(address, own[0].packed, node_mac(index)))
    return update(attributes, own)


def serve(address, nodes, count):
    session = accepted(address)
    sys.stdin.readline()
    session.send(b"".join(announcement(index, count) for index in range(nodes)) + END_OF_RIB)
    print(f"announced {nodes * count}", flush=True)
    for index, _ in enumerate(sys.stdin):
        session.send(withdrawal(blocks(index, count)))
        print(f"withdrawn {index}", flush=True)


def write_nodes(path, nodes):
    with open(path, "w", encoding="utf-8") as file:
        for index in range(nodes):
            file.write(
                "---\napiVersion: projectcalico.org/v3\nkind: Node\nmetadata:\n"
                f"  name: {node_name(index)}\nspec:\n  bgp:\n    ipv4Address: {node_address(index)}/16\n")


def main():
    address, nodes, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if len(sys.argv) > 4:
        write_nodes(sys.argv[4], nodes)
    else:
        serve(address, nodes, count)


main()
