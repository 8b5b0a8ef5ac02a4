"""What the scripted BGP peers of hack/lib share: messages, and a session that answers what must be answered."""
import ipaddress
import socket
import struct
import threading

AS = 64512


def message(kind, body=b""):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def attribute(flags, kind, value):
    return struct.pack("!BBB", flags, kind, len(value)) + value


def nlri(addresses):
    """Blocks of 64 addresses."""
    return b"".join(b"\x1a" + address.packed for address in addresses)


def tunnel(egress, inner, mac, vni=4096):
    """The attributes of a VXLAN tunnel: the community and RFC 9012's attribute."""
    value = (
        b"\x01\x0c\xc0" + vni.to_bytes(3, "big") + mac + b"\0\0"
        + b"\x06\x0a\0\0\0\0\0\x01" + egress + b"\x08\x02" + struct.pack("!H", 4789)
        + b"\x7e\x08APUS" + inner)
    return (
        attribute(0xC0, 16, bytes.fromhex("030c000000000008"))
        + attribute(0xC0, 23, struct.pack("!HH", 8, len(value)) + value))


def update(attributes, blocks):
    return message(2, struct.pack("!HH", 0, len(attributes)) + attributes + nlri(blocks))


def withdrawal(blocks):
    gone = nlri(blocks)
    return message(2, struct.pack("!H", len(gone)) + gone + b"\0\0")


END_OF_RIB = message(2, b"\0\0\0\0")


class Session:
    """One iBGP session, IPv4 alone, over a stream that is connected."""

    def __init__(self, stream, address):
        self.stream, self.lock, self.established = stream, threading.Lock(), threading.Event()
        capabilities = bytes.fromhex("0104000100014104") + struct.pack("!I", AS)
        parameters = bytes([2, len(capabilities)]) + capabilities
        identifier = ipaddress.ip_address(address).packed
        self.send(message(1, struct.pack("!BHH", 4, AS, 90) + identifier + bytes([len(parameters)]) + parameters))
        threading.Thread(target=self.answer, daemon=True).start()
        self.established.wait(30)

    def send(self, data):
        with self.lock:
            self.stream.sendall(data)

    def receive(self):
        head = b""
        while len(head) < 19:
            part = self.stream.recv(19 - len(head))
            if not part:
                return None
            head += part
        length, kind = struct.unpack("!HB", head[16:])
        rest = length - 19
        while rest:
            rest -= len(self.stream.recv(rest))
        return kind

    def answer(self):
        while True:
            kind = self.receive()
            if kind is None or kind == 3:
                print(f"session over: {kind}", flush=True)
                return
            if kind in (1, 4):
                self.send(message(4))
            if kind == 4:
                self.established.set()


def accepted(address):
    """The session that somebody opens to this address."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 179))
    listener.listen(4)
    print("ready", flush=True)
    stream, _ = listener.accept()
    return Session(stream, address)
