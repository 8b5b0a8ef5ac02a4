#!/usr/bin/env python3
"""manypeers.py FILE: many BGP peers in one process, each at an address of its own, all with one neighbour.

FILE is JSON: {"neighbour": ADDRESS, "as": N, "peers": {ADDRESS: PASSWORD or null}, "blocks": {ADDRESS: PREFIX},
"dead": [ADDRESS], "path": [AS], what every AS_PATH is}; it is read again when it has changed. A peer dials, exchanges OPENs, announces its block and an
End-of-RIB, sends KEEPALIVEs, and dials again when the connection ends; a dead one closes and stays away. What happens is
a line of JSON each: {"time": SECONDS, "peer": ADDRESS, "event": "up" | "down" | PREFIX that was announced to it |
-PREFIX that was withdrawn}.
"""
import json
import os
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


def update(own, prefix, path):
    """An UPDATE of one IPv4 prefix with the peer as next hop. An external neighbour passes over the LOCAL_PREF."""
    network, length = prefix.split("/")
    segment = struct.pack(f"!BB{len(path)}I", 2, len(path), *path) if path else b""
    attributes = (
        b"\x40\x01\x01\x00" + b"\x40\x02" + bytes([len(segment)]) + segment
        + b"\x40\x03\x04" + socket.inet_aton(own) + b"\x40\x05\x04\x00\x00\x00\x64")
    nlri = bytes([int(length)]) + socket.inet_aton(network)[:(int(length) + 7) // 8]
    return frame(2, struct.pack("!HH", 0, len(attributes)) + attributes + nlri)


def told(body):
    """The IPv4 prefixes that an UPDATE's body withdraws, each after a minus sign, and those that it announces."""
    withdrawn, = struct.unpack("!H", body[:2])
    attributes, = struct.unpack("!H", body[2 + withdrawn:4 + withdrawn])
    yield from (f"-{prefix}" for prefix in prefixes(body[2:2 + withdrawn]))
    yield from prefixes(body[4 + withdrawn + attributes:])


def prefixes(rest):
    """A list of IPv4 prefixes as the wire has it."""
    while rest:
        octets = (rest[0] + 7) // 8
        yield f"{socket.inet_ntoa(rest[1:1 + octets].ljust(4, bytes(1)))}/{rest[0]}"
        rest = rest[1 + octets:]


class Settings:
    """The file, as it was when it last changed."""

    def __init__(self, path):
        self.path, self.changed, self.values = path, None, {}
        self.read()

    def read(self):
        """Reads the file if it has changed."""
        changed = os.stat(self.path).st_mtime_ns
        if changed != self.changed:
            with open(self.path, encoding="utf-8") as file:
                self.values, self.changed = json.load(file), changed


class Peer:
    """One peer and its connection."""

    def __init__(self, own, settings, selector):
        self.own, self.settings, self.selector = own, settings, selector
        self.socket, self.pending, self.due, self.is_open, self.is_up = None, b"", 0.0, False, False

    def dial(self):
        """Begins a connection."""
        settings = self.settings.values
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

    def tell(self, event):
        """Writes a line."""
        print(json.dumps({"time": time.time(), "peer": self.own, "event": event}), flush=True)

    def drop(self):
        """Ends the connection; the next one follows soon."""
        if self.is_up:
            self.tell("down")
        self.is_up = False
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
                body, self.pending = self.pending[19:length], self.pending[length:]
                if kind == 3:
                    return self.drop()
                self.take(kind, body)
        except OSError:
            self.drop()

    def take(self, kind, body):
        """Answers a message."""
        if kind == 1:
            self.socket.send(frame(4))
            self.is_open, self.due = True, time.monotonic() + HOLD_SECONDS / 3
        elif kind == 4 and not self.is_up:
            self.is_up = True
            self.tell("up")
            block = self.settings.values.get("blocks", {}).get(self.own)
            self.socket.send((
                update(self.own, block, self.settings.values.get("path", [])) if block else b"") + frame(2, bytes(4)))
        elif kind == 2:
            for prefix in told(body):
                self.tell(prefix)

    def tick(self, now):
        """Dials, gives up a dial, or sends the next KEEPALIVE."""
        if self.own in self.settings.values.get("dead", []):
            if self.socket is not None:
                self.drop()
            return
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
    selector, settings = selectors.DefaultSelector(), Settings(path)
    peers = [Peer(own, settings, selector) for own in settings.values["peers"]]
    while True:
        for key, events in selector.select(0.05):
            key.data.ready(events)
        settings.read()
        now = time.monotonic()
        for peer in peers:
            peer.tick(now)


main(sys.argv[1])
