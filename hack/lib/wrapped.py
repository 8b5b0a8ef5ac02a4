#!/usr/bin/env python3
"""wrapped.py SOURCE NODE MAC|ipip INNER-SOURCE INNER-DESTINATION: ten VXLAN packets (VNI 4096) from SOURCE to NODE, each
with a UDP datagram inside for the given addresses, to the node's end of the tunnel by its link-layer address; or ten
packets of IP in IP."""
import ipaddress
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


source, node, mac, inner_source, inner_destination = sys.argv[1:6]
udp = struct.pack("!HHHH", 40000, 40001, 12, 0) + b"apus"
head = struct.pack(
    "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, ipaddress.ip_address(inner_source).packed,
    ipaddress.ip_address(inner_destination).packed)
head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
if mac == "ipip":
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 4) as sender:
        sender.bind((source, 0))
        for _ in range(10):
            sender.sendto(head + udp, (node, 0))
    sys.exit()
frame = bytes.fromhex(mac.replace(":", "")) + bytes.fromhex("660000000009") + b"\x08\x00" + head + udp
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.bind((source, 0))
    for _ in range(10):
        sender.sendto(struct.pack("!II", 0x08000000, 4096 << 8) + frame, (node, 4789))
