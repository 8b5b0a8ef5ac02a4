#!/usr/bin/env python3
"""silence.py: BFD with BIRD. A peer that falls silent is withdrawn from the kernel, and how long that takes.

BIRD speaks BFD of 3 × 100 ms, on one hop over IPv4 and, as a second run, over several (port 4784). Then its link is cut:
no TCP segment says so. Each line is a check of $APUS_RESULTS.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from lab import Apus, Lab, eventually
from speakers import Bird, Neighbour

LIMIT_SECONDS = 1.0


class BirdWithBFD(Bird):
    """BIRD whose sessions are watched."""

    def start(self, restarting=False):
        super().start(restarting)
        self.kill()
        with open(self.path("bird.conf"), encoding="utf-8") as file:
            text = file.read()
        kind = "multihop" if self.is_multihop else 'interface "eth0"'
        text += f"protocol bfd {{ {kind} {{ interval 100 ms; multiplier 3; }}; }}\n"
        text = text.replace("graceful restart on;", "graceful restart on; bfd on;")
        text = text.replace("direct; ", "multihop 3; " if self.is_multihop else "direct; ")
        self.write("bird.conf", text)
        self.spawn(["bird", "-f", "-c", self.path("bird.conf"), "-s", self.path("ctl"), "-P", self.path("pid")], "log")


def check(sentence, good, results):
    """Prints a line, and counts it."""
    print(f"{'ok    ' if good else 'FAILED'}  {sentence}")
    with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
        file.write(f"{'passed' if good else 'failed'}\t{sentence}\n")
    results.append(bool(good))


def routes(namespace):
    """The kernel's routes of both families, as text."""
    return "".join(subprocess.run(
        ["ip", "-n", namespace, family, "route"], capture_output=True, text=True, check=True).stdout
        for family in ("-4", "-6"))


def states(apus):
    """BFD's states of the daemon's peers."""
    return [peer["bfd"] for peer in apus.ctl("bgp", "peers").get("items", [])]


def run(lab, is_multihop, results):
    """One run: sessions up, routes there, silence, routes gone."""
    kind = "multihop" if is_multihop else "single hop"
    apus = Apus(lab, 65001)
    bird = BirdWithBFD(lab, 65002)
    bird.is_multihop = is_multihop
    bird.neighbours.append(Neighbour(apus.number, 65001))
    bfd = {"minRx": "100ms", "minTx": "100ms", "multiplier": 3, "multihop": is_multihop}
    apus.add_peer("v4", bird.address4, 65002, bfd=bfd)
    apus.add_peer("v6", bird.address6, 65002, bfd=bfd)
    apus.start()
    bird.start()
    check(f"{kind}: both BFD sessions come up", eventually(40, lambda: len(re.findall(
        r"192\.168\.1\.1 .*Up|fd00:1::1 .*Up", bird.show("show", "bfd", "sessions"))) == 2), results)
    both = (bird.prefix4, bird.prefix6)
    check(f"{kind}: the routes are in the kernel", eventually(
        20, lambda: all(prefix in routes(apus.namespace) for prefix in both)), results)
    time.sleep(2)
    log = apus.log()
    check(f"{kind}: the sessions are quiet", log.count("BFD session up") == 2 and "BFD session down" not in log, results)
    for family, peer in (("v4", bird.address4), ("v6", bird.address6)):
        apus.add_peer(family, peer, 65002, bfd=bfd | {"minTx": "150ms", "minRx": "120ms"})
    # BIRD's column is the larger of what it sends and what the other side takes.
    check(f"{kind}: other intervals are agreed on", eventually(
        10, lambda: len(re.findall(r"Up .* 0\.120 ", bird.show("show", "bfd", "sessions"))) == 2), results)
    time.sleep(1)
    log = apus.log()
    check(f"{kind}: and no session ends of it", "BFD session down" not in log and "session lost" not in log, results)
    start = time.monotonic()
    # The switch's port: the carrier of both ends' own links stays.
    lab.ip(lab.switch, "link", "set", f"v{bird.number}", "nomaster")
    gone = eventually(20, lambda: not any(prefix in routes(apus.namespace) for prefix in both))
    seconds = time.monotonic() - start
    check(f"{kind}: withdrawn from the kernel {seconds:.2f} s after the last packet, limit {LIMIT_SECONDS} s",
          gone and seconds <= LIMIT_SECONDS, results)
    check(f"{kind}: node status says why", "BFD" in str(apus.ctl("node", "status")), results)
    lab.ip(lab.switch, "link", "set", f"v{bird.number}", "master", "br0")
    check(f"{kind}: the peer is back: so are the routes", eventually(
        40, lambda: all(prefix in routes(apus.namespace) for prefix in both)), results)
    # The own link: the kernel takes no packet, for want of a route and, with IPv6, of the address that it is from.
    lab.ip(apus.namespace, "link", "set", "eth0", "down")
    check(f"{kind}: the own link goes down: BFD notices", eventually(10, lambda: states(apus) == ["Down"] * 2), results)
    time.sleep(2)
    lab.ip(apus.namespace, "link", "set", "eth0", "up")
    lab.ip(apus.namespace, "address", "add", f"fd00:1::{apus.number}/64", "dev", "eth0", "nodad")
    check(f"{kind}: the own link is back: BFD is up", eventually(20, lambda: states(apus) == ["Up"] * 2), results)
    check(f"{kind}: and so are the routes", eventually(
        40, lambda: all(prefix in routes(apus.namespace) for prefix in both)), results)


def main():
    """Both runs in a directory of their own."""
    name = os.urandom(2).hex()
    directory = tempfile.mkdtemp(prefix=f"apus-{name}-")
    os.chmod(directory, 0o755)
    results = []
    try:
        for is_multihop in (False, True):
            lab = Lab(f"{name}-bfd{int(is_multihop)}", directory)
            try:
                run(lab, is_multihop, results)
            finally:
                lab.close()
    finally:
        if not os.environ.get("INTEROP_KEEP"):
            shutil.rmtree(directory)
    sys.exit(0 if all(results) else 1)


main()
