#!/usr/bin/env python3
"""apusd.py STEADY-CALLS FUNCTIONS OUTPUT: what apusd calls while peers change their routes, then what it calls from the
start of the sessions on; each name once. BENCH_TOOLS names the directory of bgpload and fibmon."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "bench.d", "speakers"))
from lab import AS, Lab  # noqa: E402
from scenarios import FIRST, MONITOR, drive  # noqa: E402

STEADY, MOVING, CLIENTS, SECONDS = 640, 400, 10, 4


def recorded(recorder, functions, lab, body):
    """The functions that are called while `body` runs, in the order of their first calls."""
    with tempfile.NamedTemporaryFile("r") as output:
        process = subprocess.Popen([recorder, functions, output.name, str(lab.pids()[-1]), str(SECONDS)])
        body()
        if process.wait() != 0:
            raise RuntimeError("the recorder has failed")
        return output.read().split()


def scenario(recorder, functions, mode, from_start):
    flapper = (FIRST, 1, AS, "s", STEADY, MOVING, 90, "")
    others = ("10.99.128.2", CLIENTS, AS, "sr" if mode == "rr" else "s", 0, STEADY // CLIENTS, 90, "")
    with Lab("apus", "pod", STEADY + MOVING, [flapper, others, MONITOR], rr=mode == "rr", fib=mode == "fib") as lab:
        lab.start_speaker()
        if from_start:
            return recorded(recorder, functions, lab, lab.start_peers)
        lab.start_peers()
        _, ok, note = drive(lab, 0, STEADY + MOVING, 60, 1.0)
        if not ok:
            raise RuntimeError(note)
        return recorded(recorder, functions, lab, lambda: churn(lab, SECONDS - 1))


def churn(lab, seconds):
    lab.peers.say(f"churn 0 1000 {seconds}")
    if not lab.peers.wait("done", timeout=seconds + 30):
        raise RuntimeError("the churn does not end")


def main():
    recorder, functions, output = sys.argv[1:]
    names = {}
    for mode, from_start in [("mesh", False), ("rr", False), ("fib", False), ("fib", True)]:
        called = scenario(recorder, functions, mode, from_start)
        print(f"{mode}{', from the start' if from_start else ''}: {len(called)} functions", file=sys.stderr)
        names.update(dict.fromkeys(called))
    with open(output, "w") as file:
        file.writelines(name + "\n" for name in names)


main()
