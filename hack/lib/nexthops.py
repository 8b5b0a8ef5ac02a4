"""Next hops that no route leads to: two scripted peers announce one prefix, the internal one better and by such a next
hop. The other's path is used, the kernel and the peers follow, and all turns round as soon as a route comes. Then the same
with IPv6, and with IPv6 next hops of IPv4 routes (RFC 8950)."""
import os
import subprocess
import sys
import time

from filters import Side
from malformed import wait_for

PREFIX, OTHER, FAR, NETWORK = "10.244.77.0/26", "10.244.78.0/26", "172.31.9.9", "172.31.9.0/24"
PREFIX6, OVER6, FAR6, NETWORK6, NEAR6 = "fd00::7740/122", "10.244.79.0/26", "fd00:9::9", "fd00:9::/64", "fd00:1::2"
# MP-BGP for both families, and IPv6 next hops for IPv4 unicast.
FAMILIES, EXTENDED_NEXT_HOP = ((1, 1), (2, 1)), bytes([5, 6, 0, 1, 0, 1, 0, 2])
INSIDE = ["nsenter", f"--net={os.environ['SPEAKER_NAMESPACE']}", "--"]


def said(*words):
    """What a command says inside the node."""
    return subprocess.run([*INSIDE, *words], capture_output=True, text=True, check=False).stdout


def why(prefix=PREFIX):
    """What apusctl says of the prefix."""
    return said(*os.environ["APUSCTL"].split(), "bgp", "why", prefix)


def kernel(prefix=PREFIX):
    """The kernel's route to the prefix."""
    return said("ip", "-6" if ":" in prefix else "-4", "route", "show", prefix, "proto", "97")


def main():
    """The checks, in an order in which each leaves the next what it needs."""
    results = open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8")

    def check(sentence, read, holds, seconds=5.0):
        seen = wait_for(read, holds, seconds)
        is_good = holds(seen)
        results.write(f"{'passed' if is_good else 'failed'}\t{sentence}\n")
        print(f"  {'ok     ' if is_good else 'FAILED '} {sentence}" + ("" if is_good else f": {seen}"), file=sys.stderr)

    external, internal = (Side(name, FAMILIES, EXTENDED_NEXT_HOP) for name in ("external", "internal"))
    own = external.address
    external.announce(PREFIX)
    external.announce(OTHER)
    check("the prefix is programmed by the peer that announces it", kernel, lambda route: f"via {own} " in route)
    check("another, too", lambda: kernel(OTHER), lambda route: f"via {own} " in route)
    check("and passed on to the other", internal.read, lambda told: PREFIX in told)

    address = internal.address
    for prefix in PREFIX, OTHER:
        internal.announce(prefix, next_hop=FAR, local_pref=200)
    check("a better path comes, by a next hop that no route leads to: it is chosen at first",
          why, lambda text: f"peer {address}, chosen" in text)
    check("the kernel keeps the route that it has", kernel, lambda route: f"via {own} " in route)
    external.withdraw(OTHER)
    check("but where its announcer withdraws it, it goes", lambda: kernel(OTHER), lambda route: not route)
    check("whatever is chosen", lambda: why(OTHER), lambda text: f"peer {address}, chosen" in text)
    check("soon it is refused, and apusctl bgp why says why", why,
          lambda text: f"peer {address}, refused: the next hop cannot be reached" in text, seconds=15)
    check("the other path is chosen", why, lambda text: f"peer {own}, chosen" in text)
    check("the kernel has its route", kernel, lambda route: f"via {own} " in route)
    check("and the peer whose path is refused is told of it", internal.read, lambda told: PREFIX in told)

    external.withdraw(PREFIX)
    check("that one is withdrawn: the kernel has no route", kernel, lambda route: not route)
    check("and nobody is told of the path that cannot be used", external.read, lambda told: PREFIX not in told)

    said("ip", "route", "add", NETWORK, "via", own)
    check("a route to the next hop comes: the path is used", why, lambda text: f"peer {address}, chosen" in text)
    check("and programmed by the same gateway", kernel, lambda route: f"via {own} " in route)
    check("and passed on", external.read, lambda told: PREFIX in told)

    withdrawals = external.withdrawals
    said("ip", "route", "del", NETWORK)
    external.announce(PREFIX)
    time.sleep(3)
    said("ip", "route", "add", NETWORK, "via", own)
    time.sleep(1)
    check("it goes for a moment: the path is chosen still", why, lambda text: f"peer {address}, chosen" in text)
    check("and its peer has not been told otherwise", external.read, lambda told: PREFIX in told)
    check("not even for a moment", lambda: external.withdrawals, lambda count: count == withdrawals)

    said("ip", "route", "del", NETWORK)
    check("it goes for good: the other path is used", why, lambda text: f"peer {own}, chosen" in text, seconds=15)

    said("ip", "route", "add", "blackhole", NETWORK)
    time.sleep(3)
    check("a route that discards leads there: it is used still", why, lambda text: f"peer {own}, chosen" in text)
    said("ip", "route", "del", "blackhole", NETWORK)

    said("ip", "route", "add", NETWORK, "via", own, "table", "100")
    said("ip", "rule", "add", "from", os.environ["SPEAKER"], "lookup", "100")
    check("a rule for what the node itself sends leads there: the path is used, as a tunnel needs it", why,
          lambda text: f"peer {address}, chosen" in text)
    external.withdraw(PREFIX)
    check("the other goes with its announcement", kernel, lambda route: not route)
    said("ip", "rule", "del", "from", os.environ["SPEAKER"], "lookup", "100")
    internal.withdraw(PREFIX)
    internal.withdraw(OTHER)
    of_ipv6(external, internal, check)


def of_ipv6(external, internal, check):
    """IPv6 next hops, of IPv6 and of IPv4 routes."""
    own, address = external.address, internal.address
    both = (PREFIX6, "IPv6"), (OVER6, "IPv4 by IPv6")
    for prefix, name in both:
        external.announce(prefix, next_hop=f"{NEAR6},fe80::2")
        check(f"{name}: of a global and a link-local next hop the route is by the global one",
              lambda p=prefix: kernel(p),
              lambda route, p=prefix: f"via {'' if ':' in p else 'inet6 '}{NEAR6} dev eth0" in route)
    for prefix, name in both:
        internal.announce(prefix, next_hop=FAR6, local_pref=200)
        check(f"{name}: a better path by a next hop without a route is chosen at first", lambda p=prefix: why(p),
              lambda text: f"peer {address}, chosen" in text)
        check(f"{name}: the kernel keeps the route that it has", lambda p=prefix: kernel(p),
              lambda route: f"{NEAR6} dev eth0" in route)
    for prefix, name in both:
        check(f"{name}: soon the path is refused", lambda p=prefix: why(p),
              lambda text: f"peer {address}, refused: the next hop cannot be reached" in text, seconds=15)
        check(f"{name}: the other one is used", lambda p=prefix: why(p), lambda text: f"peer {own}, chosen" in text)
        check(f"{name}: the kernel has its route", lambda p=prefix: kernel(p), lambda route: f"{NEAR6} dev eth0" in route)
    said("ip", "-6", "route", "add", NETWORK6, "via", "fd00:1::3")
    for prefix, name in both:
        check(f"{name}: a route to the next hop comes: the path is used", lambda p=prefix: why(p),
              lambda text: f"peer {address}, chosen" in text)
        check(f"{name}: and programmed by the route's gateway", lambda p=prefix: kernel(p),
              lambda route: "fd00:1::3 dev eth0" in route)
    for prefix, name in both:
        internal.withdraw(prefix, multiprotocol=True)
        check(f"{name}: withdrawn, the other one is used again", lambda p=prefix: kernel(p),
              lambda route: f"{NEAR6} dev eth0" in route)
        for next_hop in "::,fe80::2", "fe80::2", "fe80::2,fe80::2":
            external.announce(prefix, next_hop=NEAR6)
            external.announce(prefix, next_hop=next_hop)
            check(f"{name}: the next hop {next_hop} is on the link of the node's address", lambda p=prefix: kernel(p),
                  lambda route: "fe80::2 dev eth0" in route)
        external.announce(prefix, next_hop="::ffff:192.168.1.2")
        check(f"{name}: by an IPv4 address in the form of an IPv6 one no packet goes", lambda p=prefix: why(p),
              lambda text: f"peer {own}, refused: the next hop is of another family" in text)
        check(f"{name}: and no route is there", lambda p=prefix: kernel(p), lambda route: not route)
        external.announce(prefix, next_hop=NEAR6)
        check(f"{name}: by one that is of IPv6 it is there again", lambda p=prefix: kernel(p),
              lambda route: f"{NEAR6} dev eth0" in route)
        external.withdraw(prefix, multiprotocol=True)
        check(f"{name}: a withdrawn route is gone", lambda p=prefix: kernel(p), lambda route: not route)


if __name__ == "__main__":
    main()
