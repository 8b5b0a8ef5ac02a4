"""half_card.py LINK LINK: carries frames between two links as a network card does that knows nothing of tunnels.

A frame whose checksum the sender has left to the card is passed on with that wish, and the next kernel sees to it. A
wish that is about what a VXLAN packet (UDP 4789) or one of IP in IP holds is dropped: the checksum inside stays as unfinished as it came,
and the receiver throws the packet away. What comes finished passes as it is."""
import select
import socket
import struct
import sys

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
HEADER = struct.Struct("<BBHHHH")  # struct virtio_net_hdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
ETH_P_ALL, IPIP, VXLAN = 3, 4, 4789


def payload(frame):
    """Where the payload of a tunnel's packet begins; None for another frame."""
    if frame[12:14] == b"\x08\x00" and frame[23] == IPIP:
        return 14 + 4 * (frame[14] & 15)
    if frame[12:14] == b"\x08\x00" and frame[23] == 17:
        udp = 14 + 4 * (frame[14] & 15)
    elif frame[12:14] == b"\x86\xdd" and frame[20] == 17:
        udp = 54
    else:
        return None
    return udp + 8 if frame[udp + 2:udp + 4] == struct.pack(">H", VXLAN) else None


def end(name):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    link.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    link.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    link.bind((name, ETH_P_ALL))
    return link


def main(one, other):
    ends = [end(one), end(other)]
    print("carrying", flush=True)
    while True:
        for source in select.select(ends, [], [])[0]:
            data = source.recv(1 << 17)
            frame = data[HEADER.size:]
            inside = payload(frame) if len(frame) > 58 else None
            if inside is not None and HEADER.unpack(data[:HEADER.size])[4] >= inside:
                data = bytes(HEADER.size) + frame
            try:
                ends[1 - ends.index(source)].send(data)
            except OSError:
                pass  # A link that is down, or a frame that is too long for it, is a lost packet.


main(*sys.argv[1:])
