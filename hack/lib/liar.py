#!/usr/bin/env python3
"""liar.py ADDRESS PEER BLOCK EGRESS INNER MAC VNI: a session from ADDRESS to PEER that announces BLOCK with itself as next
hop and a VXLAN tunnel as given, and stays."""
import ipaddress
import socket
import struct
import sys
import threading
import time

from mesh_peer import END_OF_RIB, Session, attribute, tunnel, update


def connected(address, peer):
    """The peer may still be busy with the end of an earlier session."""
    deadline = time.monotonic() + 20
    while True:
        stream = socket.socket()
        try:
            stream.bind((address, 0))
            stream.connect((peer, 179))
            return stream
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def main():
    address, peer, block, egress, inner, mac, vni = sys.argv[1:8]
    session = Session(connected(address, peer), address)
    attributes = (
        attribute(0x40, 1, b"\0") + attribute(0x40, 2, b"")
        + attribute(0x40, 3, ipaddress.ip_address(address).packed) + attribute(0x40, 5, struct.pack("!I", 100))
        + tunnel(
            ipaddress.ip_address(egress).packed, ipaddress.ip_address(inner).packed,
            bytes.fromhex(mac.replace(":", "")), int(vni)))
    session.send(update(attributes, [ipaddress.ip_network(block).network_address]) + END_OF_RIB)
    print("announced", flush=True)
    threading.Event().wait()


main()
