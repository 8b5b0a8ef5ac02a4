"""Next hops that no route leads to: two scripted peers announce one prefix, the internal one better and by such a next
hop. The other's path is used, the kernel and the peers follow, and all turns round as soon as a route comes."""
import os
import subprocess
import sys
import time

from filters import Side
from malformed import wait_for

PREFIX, OTHER, FAR, NETWORK = "10.244.77.0/26", "10.244.78.0/26", "172.31.9.9", "172.31.9.0/24"
INSIDE = ["nsenter", f"--net={os.environ['SPEAKER_NAMESPACE']}", "--"]


def said(*words):
    """What a command says inside the node."""
    return subprocess.run([*INSIDE, *words], capture_output=True, text=True, check=False).stdout


def why(prefix=PREFIX):
    """What apusctl says of the prefix."""
    return said(*os.environ["APUSCTL"].split(), "bgp", "why", prefix)


def kernel(prefix=PREFIX):
    """The kernel's route to the prefix."""
    return said("ip", "route", "show", prefix, "proto", "97")


def main():
    """The checks, in an order in which each leaves the next what it needs."""
    results = open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8")

    def check(sentence, read, holds, seconds=5.0):
        seen = wait_for(read, holds, seconds)
        is_good = holds(seen)
        results.write(f"{'passed' if is_good else 'failed'}\t{sentence}\n")
        print(f"  {'ok     ' if is_good else 'FAILED '} {sentence}" + ("" if is_good else f": {seen}"), file=sys.stderr)

    external, internal = Side("external"), Side("internal")
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
    external.withdraw(PREFIX)
    check("which goes with its announcement", kernel, lambda route: not route)


if __name__ == "__main__":
    main()
