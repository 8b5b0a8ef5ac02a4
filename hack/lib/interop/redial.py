#!/usr/bin/env python3
"""redial.py: a peer is dialled again although a dial has failed before it began, for want of a way.

BIRD waits to be dialled. The daemon starts with its link down; later the link goes down under the session. Each line is a
check of $APUS_RESULTS.
"""
import os
import sys
import time

from lab import Apus, eventually, own_lab
from speakers import Bird, Neighbour


def run(lab):
    """Both times; answers how many checks failed."""
    failed = 0

    def check(sentence, good):
        nonlocal failed
        failed += not good
        print(f"{'ok    ' if good else 'FAILED'}  {sentence}", flush=True)
        with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
            file.write(f"{'passed' if good else 'failed'}\t{sentence}\n")

    apus, bird = Apus(lab, 65001), Bird(lab, 65002)
    bird.is_passive = True
    bird.neighbours.append(Neighbour(apus.number, 65001))
    apus.add_peer("bird", bird.address4, 65002, holdTime="3s")

    def link(state):
        lab.ip(apus.namespace, "link", "set", "eth0", state)

    def has_no_way():
        return any("Network is unreachable" in peer["info"] for peer in apus.ctl("node", "status").get("peers", []))

    bird.start()
    link("down")
    apus.start()
    check("without a link the dial fails at once", eventually(20, has_no_way))
    # More than one attempt.
    time.sleep(2)
    link("up")
    check("with the link the session comes up", eventually(20, lambda: apus.up(bird.address4)))
    link("down")
    check("the link goes down under the session: dials fail at once", eventually(20, has_no_way))
    time.sleep(2)
    link("up")
    check("with the link the session is up again", eventually(30, lambda: apus.up(bird.address4)))
    return failed


def main():
    """All of it; the exit status says whether anything failed."""
    with own_lab("redial") as lab:
        failed = run(lab)
    sys.exit(1 if failed else 0)


main()
