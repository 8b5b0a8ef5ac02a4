#!/usr/bin/env python3
"""slices.py: one peer of a daemon announces a million prefixes, the policy about them changes, the peer is gone. All the
while somebody who is no peer connects again and again and is refused, by the thread that serves every session. What the
daemon works between the connection and the refusal, by its own CPU clock so that a busy machine changes nothing, is
what a KEEPALIVE may have to wait. Each line is a check of $APUS_RESULTS."""
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir)
sys.path.insert(0, f"{TOP}/hack/bench.d/speakers")

import lab as bench  # noqa: E402
import scenarios  # noqa: E402

COUNT = 1_000_000
NARROW, WIDE = "cidr: 16.0.0.0/10", "cidr: 16.0.0.0/4"


class Visitor(threading.Thread):
    """Connects from the peers' namespace; `worst` is the most CPU the daemon used for others before it answered."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.namespace, self.process, self.worst, self.count, self.isOver = lab.peers_ns, lab.pids()[-1], 0.0, 0, False

    def run(self):
        with open(f"/run/netns/{self.namespace}", encoding="utf-8") as file:
            assert ctypes.CDLL(None).setns(file.fileno(), 0) == 0, "the peers' namespace cannot be entered"
        while not self.isOver:
            before = bench.cpu([self.process])
            try:
                with socket.create_connection((bench.SPEAKER, bench.PORT), 30) as stream:
                    assert stream.recv(1) == b"", "the daemon talks to a stranger"
            except ConnectionResetError:
                pass
            self.worst = max(self.worst, bench.cpu([self.process]) - before)
            self.count += 1
            time.sleep(0.001)

    def take(self):
        worst, count, self.worst, self.count = self.worst, self.count, 0.0, 0
        return worst, count


def peers(lab):
    command = ["ip", "netns", "exec", lab.speaker_ns, f"{TOP}/dist/apusctl", "--run-dir", f"{lab.dir}/run"]
    return json.loads(subprocess.check_output(command + ["bgp", "peers", "-o", "json"]))["items"]


def until(lab, wanted, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if wanted(peers(lab)):
            return True
        time.sleep(0.2)
    return False


def configure(lab, old, new):
    with open(f"{lab.dir}/apus.yaml", encoding="utf-8") as file:
        text = file.read()
    with open(f"{lab.dir}/new", "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    os.rename(f"{lab.dir}/new", f"{lab.dir}/apus.yaml")


def check(sentence, is_right, note):
    print(f"  {'ok      ' if is_right else 'FAILED  '}{sentence}: {note}", file=sys.stderr, flush=True)
    with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
        file.write(f"{'passed' if is_right else 'failed'}\t{sentence}\n")


def main():
    source = (scenarios.FIRST, 1, 65001, "s", 0, COUNT, 90, "")
    with bench.Lab("apus", "net", COUNT, [source, scenarios.MONITOR]) as lab:
        lab.start_speaker()
        lab.start_peers()
        visitor = Visitor(lab)
        visitor.start()

        def measured(what, is_done, limit=50):
            worst, count = visitor.take()
            check(f"{what}: it is done", is_done, f"{count} strangers meanwhile")
            check(f"{what}: nobody waits for {limit} ms of it", count > 10 and worst * 1000 < limit,
                  f"{worst * 1000:.1f} ms")

        time.sleep(1)
        measured("at rest", True)
        lab.peers.say(f"go 0 {COUNT}")
        # Once on the way every array of the table is moved to one of twice its size.
        measured("a million prefixes are taken in and passed on", bool(lab.peers.wait("done", timeout=200)), limit=100)
        configure(lab, WIDE, NARROW)
        measured("a policy refuses most of them", until(lab, lambda rows: any(r["refused"] > COUNT / 2 for r in rows)))
        configure(lab, NARROW, WIDE)
        measured("the policy allows them again", until(
            lab, lambda rows: all(r["refused"] == 0 for r in rows) and any(r["advertised"] == COUNT for r in rows)))
        lab.peers.say("rst 0")
        measured("the peer is gone, and its routes are withdrawn", bool(lab.peers.wait("done", timeout=200)))
        check("the other session has lived through it all", not any(r["lost"] for r in peers(lab)
              if r["address"] == scenarios.MONITOR_ADDRESS), "")
        visitor.isOver = True


main()
