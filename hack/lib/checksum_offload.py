"""checksum_offload.py LINK [on|off]: prints, or sets, tx-checksumming of a link, as ethtool(8) does with -k and -K tx."""
import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL, ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM = 0x8946, 0x16, 0x17


def main(link, wanted=None):
    value = array.array("I", [ETHTOOL_STXCSUM if wanted else ETHTOOL_GTXCSUM, wanted == "on"])
    request = struct.pack("16sP16x", link.encode(), value.buffer_info()[0])
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), SIOCETHTOOL, request)
    if not wanted:
        print("on" if value[1] else "off")


main(*sys.argv[1:])
