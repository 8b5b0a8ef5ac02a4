#!/usr/bin/env python3
"""A route reflector that speaks for many nodes in VXLAN mode: reflector.py ADDRESS NODES BLOCKS RESOURCES

With RESOURCES it writes the Node resources of those nodes into that file and ends. Without, it waits at ADDRESS, port 179,
for one session (iBGP, AS 64512), announces every node's blocks, each node with its own next hop and tunnel endpoint
(RFC 9012), says End-of-RIB, and on every line of its standard input withdraws what the next node has announced.
"""
import hashlib
import ipaddress
import socket
import struct
import sys
import threading

AS = 64512
POOL = int(ipaddress.ip_address("10.64.0.0"))


def node_name(index):
    return f"far{index}"


def node_address(index):
    return ipaddress.ip_address(f"192.168.{4 + index // 250}.{1 + index % 250}")


def node_mac(index):
    return b"\x66" + hashlib.sha1(node_name(index).encode()).digest()[:5]


def blocks(index, count):
    return [ipaddress.ip_address(POOL + (index * count + number) * 64) for number in range(count)]


def message(kind, body=b""):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def attribute(flags, kind, value):
    return struct.pack("!BBB", flags, kind, len(value)) + value


def nlri(addresses):
    return b"".join(b"\x1a" + address.packed for address in addresses)


def announcement(index, count):
    address, own = node_address(index).packed, blocks(index, count)
    tunnel = (
        b"\x01\x0c\xc0" + (4096).to_bytes(3, "big") + node_mac(index) + b"\0\0"
        + b"\x06\x0a\0\0\0\0\0\x01" + address + b"\x08\x02" + struct.pack("!H", 4789)
        + b"\x7e\x08APUS" + own[0].packed)
    attributes = (
        attribute(0x40, 1, b"\0") + attribute(0x40, 2, b"") + attribute(0x40, 3, address)
        + attribute(0x40, 5, struct.pack("!I", 100)) + attribute(0x80, 9, address)
        + attribute(0x80, 10, ipaddress.ip_address("192.168.1.100").packed)
        + attribute(0xC0, 16, bytes.fromhex("030c000000000008"))
        + attribute(0xC0, 23, struct.pack("!HH", 8, len(tunnel)) + tunnel))
    return message(2, struct.pack("!HH", 0, len(attributes)) + attributes + nlri(own))


def withdrawal(index, count):
    gone = nlri(blocks(index, count))
    return message(2, struct.pack("!H", len(gone)) + gone + b"\0\0")


def receive(stream):
    head = b""
    while len(head) < 19:
        part = stream.recv(19 - len(head))
        if not part:
            return None, b""
        head += part
    length, kind = struct.unpack("!HB", head[16:])
    body = b""
    while len(body) < length - 19:
        body += stream.recv(length - 19 - len(body))
    return kind, body


def serve(address, nodes, count):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 179))
    listener.listen(4)
    print("ready", flush=True)
    stream, _ = listener.accept()
    capabilities = bytes.fromhex("0104000100014104") + struct.pack("!I", AS)
    parameters = bytes([2, len(capabilities)]) + capabilities
    identifier = ipaddress.ip_address(address).packed
    stream.sendall(message(1, struct.pack("!BHH", 4, AS, 90) + identifier + bytes([len(parameters)]) + parameters))
    lock = threading.Lock()
    established = threading.Event()

    def answer():
        while True:
            kind, _ = receive(stream)
            if kind is None or kind == 3:
                print(f"session over: {kind}", flush=True)
                return
            with lock:
                if kind in (1, 4):
                    stream.sendall(message(4))
            if kind == 4:
                established.set()

    threading.Thread(target=answer, daemon=True).start()
    established.wait(30)
    sys.stdin.readline()
    with lock:
        for index in range(nodes):
            stream.sendall(announcement(index, count))
        stream.sendall(message(2, b"\0\0\0\0"))
    print(f"announced {nodes * count}", flush=True)
    for index, _ in enumerate(sys.stdin):
        with lock:
            stream.sendall(withdrawal(index, count))
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
