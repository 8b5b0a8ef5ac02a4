#!/usr/bin/env python3
"""multipath.py: two BIRDs announce the same networks; the kernel has both ways, and what becomes of them.

One of them goes and comes back, somebody deletes and alters the routes, and the daemon is killed and started again: no
packet is lost and no route is deleted on the way. Each line is a check of $APUS_RESULTS.
"""
import os
import re
import signal
import sys
import time

from lab import Apus, eventually, own_lab
from paths import kernel_ways
from speakers import Bird, Neighbour

AS = 65001


class Run:
    """The two peers, the node, and what was found."""

    def __init__(self, lab):
        self.lab, self.failed = lab, 0
        self.apus = Apus(lab, AS)
        self.birds = [Bird(lab, AS) for _ in range(2)]
        first, second = self.birds
        second.prefix4, second.prefix6 = first.prefix4, first.prefix6
        self.target = first.prefix4.replace(".0/26", ".1")
        for bird in self.birds:
            neighbour = Neighbour(self.apus.number, AS)
            bird.neighbours.append(neighbour)
            self.apus.add_peer(f"a{bird.number}", bird.address4, AS)
            self.apus.add_peer(f"b{bird.number}", bird.address6, AS)
            lab.ip(bird.namespace, "address", "add", f"{self.target}/32", "dev", "lo")

    def check(self, sentence, good):
        """Prints a line, and counts it."""
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'}  {sentence}")
        with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
            file.write(f"{'passed' if good else 'failed'}\t{sentence}\n")

    def ways(self, family):
        """The kernel's ways to the network of a family."""
        bird = self.birds[0]
        if family == 4:
            return kernel_ways(self.lab, self.apus.namespace, bird.prefix4)
        text = self.lab.run(self.apus.namespace, ["ip", "-6", "route", "show", bird.prefix6, "proto", "97"])
        return set(re.findall(r"via (\S+)", text))

    def has(self, *birds):
        """Whether exactly these are the ways, of both families."""
        return self.ways(4) == {bird.address4 for bird in birds} and self.ways(6) == {bird.address6 for bird in birds}

    def announce(self, bird, is_on):
        """BIRD's two static protocols."""
        for name in ("static1", "static2"):
            bird.show("enable" if is_on else "disable", name)

    def spoil(self, *words):
        """Somebody changes routes by hand."""
        self.lab.run(self.apus.namespace, ["ip", *words])

    def path(self, leaf):
        return os.path.join(self.lab.directory, leaf)

    def steps(self):
        """The whole sequence."""
        first, second = self.birds
        self.apus.start()
        for bird in self.birds:
            bird.start()
        self.check("both announce: two ways of each family", eventually(40, lambda: self.has(first, second)))
        monitor = self.lab.spawn(self.apus.namespace, ["ip", "-ts", "monitor", "route"], self.path("monitor.log"))
        ping = self.lab.spawn(
            self.apus.namespace, ["ping", "-n", "-i", "0.02", self.target], self.path("ping.log"))
        eventually(10, lambda: "bytes from" in self.read("ping.log"))
        for bird, other in ((first, second), (second, first)):
            self.announce(bird, False)
            self.check(f"one withdraws: the way by {other.address4} stays", eventually(10, lambda o=other: self.has(o)))
            self.announce(bird, True)
            self.check("it announces again: both ways", eventually(10, lambda: self.has(first, second)))
        self.apus.kill()
        time.sleep(1)
        self.check("the daemon is killed: both ways stay", self.has(first, second))
        self.apus.start()
        self.check("the daemon is back: sessions and both ways", eventually(40, lambda: self.has(first, second) and all(
            self.apus.up(bird.address4) for bird in self.birds)))
        time.sleep(1)
        self.check("and a second later still both ways", self.has(first, second))
        self.lab.kill(monitor)
        self.lab.kill(ping, signal.SIGINT)
        deleted = [line for line in self.read("monitor.log").split("\n") if "Deleted" in line and (
            first.prefix4 in line or first.prefix6 in line)]
        self.check(f"no route was deleted meanwhile: {deleted[:2]}", not deleted)
        lost = re.search(r"(\d+) packets transmitted, (\d+) received", self.read("ping.log"))
        sent, back = (int(number) for number in lost.groups()) if lost else (0, -1)
        # The last one may be under way when ping ends.
        self.check(f"no packet was lost: {back} of {sent} came back", sent > 100 and sent - back <= 1)
        self.mended(first, second)

    def mended(self, first, second):
        """What somebody deletes or alters is back."""
        self.spoil("route", "del", first.prefix4)
        self.spoil("-6", "route", "del", first.prefix6)
        self.check("deleted by hand: both ways are back", eventually(3, lambda: self.has(first, second)))
        self.spoil("route", "replace", first.prefix4, "via", first.address4, "proto", "97")
        self.spoil("-6", "route", "del", first.prefix6, "via", second.address6, "dev", "eth0")
        self.check("one way taken out by hand: both are back", eventually(3, lambda: self.has(first, second)))

    def read(self, leaf):
        """A file so far."""
        with open(self.path(leaf), encoding="utf-8", errors="replace") as file:
            return file.read()


def main():
    """All of it; the exit status says whether anything failed."""
    with own_lab("ways") as lab:
        run = Run(lab)
        run.steps()
    sys.exit(1 if run.failed else 0)


main()
