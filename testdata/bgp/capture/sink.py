#!/usr/bin/env python3
"""A BGP peer that says little and writes down what it hears, one frame a line in hexadecimal digits.

sink.py LOCAL REMOTE AS ID CAPABILITIES SECONDS OUT [FILE...]
CAPABILITIES is a list of mp, rr, err, as4, gr and ext; the frames of the FILEs are sent once the session is up.
"""
import socket
import struct
import sys
import time

MARKER = b"\xff" * 16
OPEN, KEEPALIVE = 1, 4


def frame(kind, body):
    return MARKER + struct.pack(">HB", 19 + len(body), kind) + body


def open_message(asn, identifier, names):
    known = {
        "mp": bytes([1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1]),
        "rr": bytes([2, 0]),
        "err": bytes([70, 0]),
        "as4": bytes([65, 4]) + struct.pack(">I", asn),
        "gr": bytes([64, 10, 0x40, 120, 0, 1, 1, 0, 0, 2, 1, 0]),
        "ext": bytes([6, 0]),
    }
    capabilities = b"".join(known[name] for name in names)
    parameters = bytes([2, len(capabilities)]) + capabilities
    fixed = bytes([4]) + struct.pack(">HH", asn if asn < 65536 else 23456, 90) + socket.inet_aton(identifier)
    return frame(OPEN, fixed + bytes([len(parameters)]) + parameters)


def connect(local, remote, deadline):
    while True:
        peer = socket.socket()
        peer.bind((local, 0))
        try:
            peer.connect((remote, 179))
            return peer
        except OSError:
            peer.close()
            if time.monotonic() > deadline:
                sys.exit(f"no connection to {remote}")
            time.sleep(0.2)


def frames(peer, deadline):
    peer.settimeout(0.3)
    pending = b""
    while time.monotonic() < deadline:
        try:
            chunk = peer.recv(65536)
        except socket.timeout:
            continue
        except OSError:
            return
        if not chunk:
            return
        pending += chunk
        while len(pending) >= 19 and len(pending) >= (length := struct.unpack(">H", pending[16:18])[0]):
            yield pending[:length]
            pending = pending[length:]


def main():
    local, remote, asn, identifier, capabilities, seconds, out = sys.argv[1:8]
    deadline = time.monotonic() + float(seconds)
    peer = connect(local, remote, deadline)
    peer.sendall(open_message(int(asn), identifier, capabilities.split(",")))
    is_established = False
    with open(out, "w") as log:
        for message in frames(peer, deadline):
            log.write(message.hex() + "\n")
            log.flush()
            kind = message[18]
            if kind == OPEN:
                peer.sendall(frame(KEEPALIVE, b""))
            elif kind == KEEPALIVE and not is_established:
                is_established = True
                for name in sys.argv[8:]:
                    with open(name) as lines:
                        for line in lines:
                            peer.sendall(bytes.fromhex(line.strip()))


main()
