"""A scripted BGP peer: it says what it is told to, and what comes back is there to be looked at."""
import ctypes
import os
import socket
import struct
import time

MARKER = b"\xff" * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
CLONE_NEWNET = 0x40000000


def message(kind, body=b""):
    """A whole message."""
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def connected_socket(namespace, source, target, seconds=2.0):
    """A TCP connection from inside a network namespace (its path); a socket stays in the one it was made in."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as own, open(namespace, "rb") as other:
        if libc.setns(other.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
        try:
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        finally:
            libc.setns(own.fileno(), CLONE_NEWNET)
    connection.settimeout(seconds)
    try:
        connection.bind((source, 0))
        connection.connect((target, 179))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        connection.close()
        raise
    return connection


class Ended(Exception):
    """The session is over; `notification` is (code, subcode) if one came."""

    def __init__(self, notification=None):
        super().__init__(f"the session ended, NOTIFICATION {notification}")
        self.notification = notification


class Session:
    """One session with a speaker. Families are (AFI, SAFI); `capabilities` are further ones as octets."""

    def __init__(self, namespace, source, target, asn, hold=90, families=((1, 1), (2, 1)), capabilities=b""):
        self.socket = connected_socket(namespace, source, target)
        self.pending = b""
        self.messages = []
        values = b"".join(struct.pack("!BBHBB", 1, 4, afi, 0, safi) for afi, safi in families)
        values += struct.pack("!BBI", 65, 4, asn) + bytes([2, 0]) + capabilities
        self.open_body = struct.pack("!BHH", 4, min(asn, 23456) if asn > 65535 else asn, hold)
        self.open_body += socket.inet_aton(source) + bytes([len(values) + 2, 2, len(values)]) + values

    def establish(self, seconds=5.0):
        """OPEN and KEEPALIVE both ways."""
        self.send(message(OPEN, self.open_body))
        deadline = time.monotonic() + seconds
        self.expect(OPEN, deadline)
        self.send(message(KEEPALIVE))
        self.expect(KEEPALIVE, deadline)
        return self

    def send(self, octets):
        """Sends octets as they are."""
        try:
            self.socket.sendall(octets)
        except OSError:
            raise Ended(self.last_notification()) from None

    def expect(self, kind, deadline):
        """Reads until a message of that kind has come."""
        while True:
            got, body = self.receive(deadline - time.monotonic())
            if got == kind:
                return body
            if got is None:
                raise Ended()

    def receive(self, seconds):
        """The next message as (kind, body); (None, b"") when the time is over. Raises Ended at the end."""
        deadline = time.monotonic() + seconds
        while True:
            if len(self.pending) >= 19:
                length, kind = struct.unpack("!HB", self.pending[16:19])
                if len(self.pending) >= length:
                    body, self.pending = self.pending[19:length], self.pending[length:]
                    if kind == NOTIFICATION:
                        raise Ended((body[0], body[1]))
                    return kind, body
            left = deadline - time.monotonic()
            if left <= 0:
                return None, b""
            self.socket.settimeout(left)
            try:
                octets = self.socket.recv(65536)
            except TimeoutError:
                return None, b""
            except OSError:
                raise Ended() from None
            if not octets:
                raise Ended()
            self.pending += octets

    def last_notification(self):
        """What the other side said before it hung up, if anything."""
        try:
            while self.receive(0.5)[0] is not None:
                pass
        except Ended as ended:
            return ended.notification
        return None

    def drain(self):
        """Reads what has come, without waiting."""
        while self.receive(0.0001)[0] is not None:
            pass

    def close(self):
        """Hangs up without a word."""
        self.socket.close()


def established(namespace, source, target, asn, seconds=30.0, **options):
    """A session that is up; tries again until the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        session = None
        try:
            session = Session(namespace, source, target, asn, **options)
            return session.establish()
        except (OSError, Ended) as error:
            if session:
                session.close()
            if time.monotonic() > deadline:
                raise TimeoutError(f"no session from {source}: {error}") from None
            time.sleep(0.02)
