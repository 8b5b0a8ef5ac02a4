#!/usr/bin/env python3
"""advertise.py LINK PREFIX SECONDS: a router on a link. Every second it says (RFC 4861 §4.2) that it is one for SECONDS
seconds more, and that hosts may make themselves addresses in PREFIX, a /64."""
import ipaddress
import socket
import struct
import sys
import time

link, prefix, lifetime = sys.argv[1], ipaddress.ip_network(sys.argv[2]), int(sys.argv[3])
ON_LINK_AND_AUTONOMOUS = 0xC0
# The kernel fills in the checksum of a raw ICMPv6 socket.
advertisement = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, lifetime, 0, 0)
advertisement += struct.pack("!BBBBIII", 3, 4, prefix.prefixlen, ON_LINK_AND_AUTONOMOUS, 600, 300, 0)
advertisement += prefix.network_address.packed

router = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
index = socket.if_nametoindex(link)
while True:
    try:
        router.sendto(advertisement, ("ff02::1", 0, 0, index))
    except OSError:
        # The link's own address is still being looked for twice.
        pass
    time.sleep(1)
