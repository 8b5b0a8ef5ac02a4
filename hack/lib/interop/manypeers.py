#!/usr/bin/env python3
"""manypeers.py FILE: many BGP peers in one process, each at an address of its own, all with one neighbour.

FILE is JSON: {"neighbour": ADDRESS, "as": N, "peers": {ADDRESS: PASSWORD or null}}. It is read again before each
connection. A peer dials, exchanges OPENs, answers KEEPALIVEs and dials again when the connection ends.
"""
import json
import selectors
import socket
import struct
import sys
import time

MARKER = b"\xff" * 16
TCP_MD5SIG = 14
RETRY_SECONDS = 0.5
HOLD_SECONDS = 90


def frame(kind, body=b""):
    """A message with its header (RFC 4271 §4.1)."""
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def open_message(own, asn):
    """An OPEN with multiprotocol IPv4, four-octet AS and graceful restart of 120 seconds."""
    capabilities = (
        b"\x01\x04\x00\x01\x00\x01" + b"\x41\x04" + struct.pack("!I", asn)
        + b"\x40\x06" + struct.pack("!HHBB", 120, 1, 1, 0x80))
    options = b"\x02" + bytes([len(capabilities)]) + capabilities
    return frame(1, struct.pack("!BHH", 4, asn, HOLD_SECONDS) + socket.inet_aton(own)
                 + bytes([len(options)]) + options)


def md5_option(address, key):
    """struct tcp_md5sig of linux/tcp.h for an IPv4 peer."""
    peer = struct.pack("=HH", socket.AF_INET, 0) + socket.inet_aton(address)
    return peer.ljust(128, b"\0") + struct.pack("=BBHI", 0, 0, len(key), 0) + key.ljust(80, b"\0")


class Peer:
    """One peer and its connection."""

    def __init__(self, own, path, selector):
        self.own, self.path, self.selector = own, path, selector
        self.socket, self.pending, self.due, self.is_open = None, b"", 0.0, False

    def dial(self):
        """Begins a connection."""
        with open(self.path, encoding="utf-8") as file:
            settings = json.load(file)
        self.asn, self.pending, self.is_open = settings["as"], b"", False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        key = settings["peers"][self.own]
        if key:
            self.socket.setsockopt(
                socket.IPPROTO_TCP, TCP_MD5SIG, md5_option(settings["neighbour"], key.encode()))
        self.socket.bind((self.own, 0))
        self.socket.connect_ex((settings["neighbour"], 179))
        self.selector.register(self.socket, selectors.EVENT_WRITE, self)
        self.due = time.monotonic() + 5

    def drop(self):
        """Ends the connection; the next one follows soon."""
        self.selector.unregister(self.socket)
        self.socket.close()
        self.socket, self.due = None, time.monotonic() + RETRY_SECONDS

    def ready(self, events):
        """Goes on with a connection that has come, or with what came on it."""
        try:
            if events & selectors.EVENT_WRITE:
                self.socket.send(open_message(self.own, self.asn))
                self.selector.modify(self.socket, selectors.EVENT_READ, self)
                return
            data = self.socket.recv(65536)
            if not data:
                return self.drop()
            self.pending += data
            while len(self.pending) >= 19:
                length, kind = struct.unpack("!HB", self.pending[16:19])
                if len(self.pending) < length:
                    return
                self.pending = self.pending[length:]
                if kind == 3:
                    return self.drop()
                if kind == 1:
                    self.socket.send(frame(4))
                    self.is_open, self.due = True, time.monotonic() + HOLD_SECONDS / 3
        except OSError:
            self.drop()

    def tick(self, now):
        """Dials, gives up a dial, or sends the next KEEPALIVE."""
        if now < self.due:
            return
        if self.socket is None:
            self.dial()
        elif not self.is_open:
            self.drop()
        else:
            self.due = now + HOLD_SECONDS / 3
            try:
                self.socket.send(frame(4))
            except OSError:
                self.drop()


def main(path):
    """All peers, on one selector."""
    selector = selectors.DefaultSelector()
    with open(path, encoding="utf-8") as file:
        peers = [Peer(own, path, selector) for own in json.load(file)["peers"]]
    while True:
        for key, events in selector.select(0.1):
            key.data.ready(events)
        now = time.monotonic()
        for peer in peers:
            peer.tick(now)


main(sys.argv[1])
