#!/usr/bin/env python3
"""deadpeers.py: apusd is killed and started again while two of its twenty peers die.

The nodes of a mesh are one process (manypeers.py) with an address and a block each. What is measured: when the own
block is announced again on each session, which routes the kernel loses and when, and whether packets to the living are
lost. The stale timer is five seconds. Each line is a check of $APUS_RESULTS.
"""
import json
import os
import re
import sys
import time

from lab import Apus, eventually, own_lab

COUNT, DEAD, STALE_SECONDS, AS = 20, 2, 5, 65001
OWN_BLOCK = "10.244.1.0/26"


def address(index):
    """The address of a node."""
    return f"192.168.1.{100 + index}"


def block(index):
    """The block of a node."""
    return f"10.244.{100 + index}.0/26"


class Check:
    """Prints lines and counts them."""

    def __init__(self):
        self.failed = 0

    def __call__(self, sentence, good):
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'}  {sentence}")
        with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
            file.write(f"{'passed' if good else 'failed'}\t{sentence}\n")


class Mesh:
    """The twenty nodes."""

    def __init__(self, lab):
        self.lab = lab
        _, self.namespace = lab.join()
        self.path, self.log = os.path.join(lab.directory, "mesh.json"), os.path.join(lab.directory, "mesh.log")
        for index in range(COUNT):
            lab.ip(self.namespace, "address", "add", f"{address(index)}/24", "dev", "eth0")
            lab.ip(self.namespace, "address", "add", block(index).replace(".0/26", ".1/32"), "dev", "lo")

    def write(self, dead):
        """Says who is dead."""
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump({
                "neighbour": "192.168.1.1", "as": AS, "peers": {address(index): None for index in range(COUNT)},
                "blocks": {address(index): block(index) for index in range(COUNT)},
                "dead": [address(index) for index in dead]}, file)
        os.rename(self.path + ".new", self.path)

    def start(self):
        """Starts the process."""
        self.write([])
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "manypeers.py")
        self.lab.spawn(self.namespace, ["python3", script, self.path], self.log)

    def events(self, since):
        """What happened after a moment."""
        with open(self.log, encoding="utf-8") as file:
            return [event for event in map(json.loads, file) if event["time"] >= since]


def resources(apus):
    """The mesh's nodes, and five seconds of patience."""
    apus.write("mesh.yaml", "---\n".join(
        f"apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {{name: other{index}}}\n"
        f"spec: {{bgp: {{ipv4Address: {address(index)}/24}}}}\n" for index in range(COUNT)))
    path = os.path.join(apus.resources, "node.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    apus.write("node.yaml", text.replace(
        "nodeToNodeMeshEnabled: false", f"nodeToNodeMeshEnabled: true, nodeMeshMaxRestartTime: {STALE_SECONDS}s"))


def own_block_delays(events, living):
    """For each living peer the seconds from its session to the own block."""
    delays = {}
    for peer in living:
        ups = [event["time"] for event in events if event["peer"] == peer and event["event"] == "up"]
        told = [event["time"] for event in events if event["peer"] == peer and event["event"] == OWN_BLOCK]
        if ups and told:
            delays[peer] = max(0.0, told[0] - ups[0])
    return delays


def deletions(path):
    """The kernel's deletions of routes: seconds since 1970 and the prefix, from `ip -ts monitor route`."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"\[(\S+)\.(\d+)\] Deleted (\S+) via", line)
            if match:
                moment = time.mktime(time.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S"))
                found.append((moment + float("0." + match.group(2)), match.group(3)))
    return found


def run(lab, check):
    """The kill, the restart and what came of it."""
    apus, mesh = Apus(lab, AS), Mesh(lab)
    resources(apus)
    mesh.start()
    apus.start()

    def programmed():
        return lab.run(apus.namespace, ["ip", "-4", "route"]).count("proto 97") + lab.run(
            apus.namespace, ["ip", "-4", "route"]).count("proto apus") >= COUNT + 1

    check(f"{COUNT} sessions, {COUNT} routes", bool(eventually(40, programmed)))
    time.sleep(1)
    dead, living = range(DEAD), [address(index) for index in range(DEAD, COUNT)]
    monitor = os.path.join(lab.directory, "monitor.log")
    lab.spawn(apus.namespace, ["ip", "-ts", "monitor", "route"], monitor)
    pings = [os.path.join(lab.directory, f"ping{index}") for index in (DEAD, COUNT - 1)]
    processes = [lab.spawn(apus.namespace, [
        "ping", "-n", "-q", "-i", "0.01", "-c", "1100", "-W", "1", block(index).replace(".0/26", ".1")], path)
        for index, path in zip((DEAD, COUNT - 1), pings)]
    time.sleep(1)
    mesh.write(dead)
    apus.kill()
    killed = time.time()
    apus.start()
    started = time.time()
    back = eventually(20, lambda: len(own_block_delays(mesh.events(killed), living)) == len(living))
    delays = own_block_delays(mesh.events(killed), living)
    worst = max(delays.values(), default=99)
    check(f"the own block is announced on all {len(delays)} sessions, at most {worst:.2f} s after each was up, limit 1 s",
          bool(back) and worst <= 1)
    time.sleep(max(0, started + STALE_SECONDS + 4 - time.time()))
    for process in processes:
        process.wait(20)
    gone = deletions(monitor)
    alive_gone = [prefix for _, prefix in gone if prefix not in {block(index) for index in dead}]
    check(f"{len(alive_gone)} routes of {len(living)} living nodes are deleted", not alive_gone)
    dead_gone = sorted(moment - started for moment, prefix in gone if prefix in {block(index) for index in dead})
    words = ", ".join(f"{seconds:.1f} s" for seconds in dead_gone)
    check(f"the routes of {DEAD} dead nodes go {words} after the start: at the stale timer of {STALE_SECONDS} s",
          len(dead_gone) == DEAD and all(STALE_SECONDS <= seconds <= STALE_SECONDS + 2 for seconds in dead_gone))
    for path in pings:
        with open(path, encoding="utf-8") as file:
            sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", file.read()).groups())
        check(f"of {sent} packets to a living node {sent - received} are lost", sent == received == 1100)


def main():
    """All of it; the exit status says whether anything failed."""
    check = Check()
    with own_lab("dead") as lab:
        run(lab, check)
    sys.exit(1 if check.failed else 0)


main()
