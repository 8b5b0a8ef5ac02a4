#!/usr/bin/env python3
"""drain.py: a node that is drained becomes the last choice of real BIRDs, and a refresh is marked (RFC 8326, 7313).

One BIRD is in the AS of the node, one in another, one watches both. Each line is a check of $APUS_RESULTS.
"""
import os
import re
import sys

from lab import DIST, Apus, eventually, own_lab
from speakers import Bird, Neighbour

OWN, OTHER = 65001, 65002


AFFINITY = """\
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata: {{name: more}}
spec: {{cidr: {block}, node: {node}, state: confirmed}}
"""


class Checks:
    """The lines of the table."""

    def __init__(self):
        self.failed = 0

    def check(self, sentence, good):
        """Prints a line, and counts it."""
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'}  {sentence}", flush=True)
        with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
            file.write(f"{'passed' if good else 'failed'}\t{sentence}\n")


def ask(apus, verb):
    """`apusctl node drain` or `undrain`."""
    return apus.lab.run(apus.namespace, [
        os.path.join(DIST, "apusctl"), "--run-dir", os.path.join(apus.directory, "run"), "node", verb])


def run(lab):
    """All of it; answers how many checks failed."""
    checks = Checks()
    leaving, staying = Apus(lab, OWN), Apus(lab, OWN)
    inside, outside = Bird(lab, OWN), Bird(lab, OTHER)
    block = f"10.244.{leaving.number}.0/26"
    # The other way that traffic is to take.
    staying.write("more.yaml", AFFINITY.format(block=block, node=staying.node))
    for node in (leaving, staying):
        node.add_peer("inside", inside.address4, OWN)
        node.add_peer("outside", outside.address4, OTHER)
        for bird in (inside, outside):
            bird.neighbours.append(Neighbour(node.number, OWN))
        node.start()
    for bird in (inside, outside):
        bird.start()
    checks.check("the sessions are up", eventually(40, lambda: all(
        node.up(bird.address4) for node in (leaving, staying) for bird in (inside, outside))))

    def route(bird):
        return bird.show("show", "route", "for", block, "all", "protocol", f"n{leaving.number}f4")

    def chosen(bird):
        found = re.search(r"unicast \[(\S+) [^\n]*\] \*", bird.show("show", "route", "for", block))
        return found.group(1) if found else None

    checks.check("before: both have the block as usual", eventually(15, lambda: all(
        "unicast" in route(bird) and "(65535,0)" not in route(bird) for bird in (inside, outside))))
    checks.check("inside it is the node's", eventually(5, lambda: chosen(inside) == f"n{leaving.number}f4"))
    before = leaving.log().count("session established")
    drained = ask(leaving, "drain")
    checks.check("apusctl node drain answers", "drained" in drained)
    checks.check("outside: the block bears GRACEFUL_SHUTDOWN", eventually(5, lambda: "(65535,0)" in route(outside)))
    checks.check("inside: LOCAL_PREF 0 and the community", eventually(
        5, lambda: "local_pref: 0" in route(inside) and "(65535,0)" in route(inside)))
    checks.check("and the other node is preferred", eventually(5, lambda: chosen(inside) == f"n{staying.number}f4"))
    checks.check("node status says so", leaving.ctl("node", "status").get("node", {}).get("drained") is True)
    checks.check("no session was reset", leaving.log().count("session established") == before)
    leaving.kill()
    leaving.start()
    checks.check("a restart does not end it", eventually(30, lambda: leaving.up(outside.address4) and leaving.up(
        inside.address4)) and eventually(10, lambda: "local_pref: 0" in route(inside)))
    ask(leaving, "undrain")
    checks.check("apusctl node undrain takes it back", eventually(
        5, lambda: "local_pref: 100" in route(inside) and not re.search(r"\(65535, ?0\)", route(outside))))
    refresh(checks, leaving, outside)
    return checks.failed


def refresh(checks, apus, bird):
    """BIRD asks for everything again, and tells the end of the answer from its beginning."""
    name = f"n{apus.number}f4"
    shown = bird.show("show", "protocols", "all", name)
    neighbour = shown.split("Neighbor capabilities", 1)[-1]
    checks.check("BIRD sees enhanced route refresh", "Enhanced refresh" in neighbour)
    checks.check("BIRD sees extended messages", "Extended message" in neighbour)
    before = apus.log().count("route refresh asked for")
    bird.show("reload", "in", name)
    checks.check("a refresh is asked for", eventually(5, lambda: apus.log().count("route refresh asked for") > before))
    block = f"10.244.{apus.number}.0/26"
    # BIRD flushes at the second marker what did not come after the first.
    checks.check("and the block is there after it", eventually(5, lambda: "unicast" in bird.show(
        "show", "route", "for", block, "protocol", name)))


def main():
    """All of it; the exit status says whether anything failed."""
    with own_lab("drain") as lab:
        failed = run(lab)
    sys.exit(1 if failed else 0)


main()
