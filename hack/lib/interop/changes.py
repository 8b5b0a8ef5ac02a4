#!/usr/bin/env python3
"""changes.py: fifty sessions are up; a filter, a password, a timer are changed; which sessions were reset is counted.

The peers are one process with fifty addresses (manypeers.py); every other one has a password. Session starts are
counted in the daemon's log. Prints a table; each line of it is a check of $APUS_RESULTS.
"""
import json
import os
import re
import shutil
import sys
import tempfile

from lab import Apus, Lab, eventually

COUNT = 50
PEER_AS, OWN_AS = 65002, 65001


def address(index):
    """The address of a peer."""
    return f"192.168.1.{100 + index}"


def password(index):
    """What both sides know of a peer at the start; the odd ones have none."""
    return f"sesame-{index}" if index % 2 == 0 else None


class Peers:
    """One process with all the peers."""

    def __init__(self, lab):
        self.lab = lab
        _, self.namespace = lab.join()
        self.path = os.path.join(lab.directory, "peers.json")
        self.passwords = {index: password(index) for index in range(COUNT)}
        for index in range(COUNT):
            lab.ip(self.namespace, "address", "add", f"{address(index)}/24", "dev", "eth0")

    def write(self):
        """Writes what the process reads before each connection."""
        settings = {
            "neighbour": "192.168.1.1", "as": PEER_AS,
            "peers": {address(index): self.passwords[index] for index in range(COUNT)}}
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(settings, file)
        os.rename(self.path + ".new", self.path)

    def start(self):
        """Starts the process."""
        self.write()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "manypeers.py")
        self.lab.spawn(
            self.namespace, ["python3", script, self.path], os.path.join(self.lab.directory, "peers.log"))


def established(apus):
    """How often each session has come up, by the daemon's own log."""
    counts = {}
    for line in apus.log().split("\n"):
        found = re.search(r"peer=(\S+) .*session established", line)
        if found:
            counts[found.group(1)] = counts.get(found.group(1), 0) + 1
    return counts


class Run:
    """The change, its effect, and the line of the table."""

    def __init__(self, apus, peers):
        self.apus, self.peers, self.failed, self.results = apus, peers, 0, []

    def all_up(self):
        """Whether all sessions are up."""
        peers = self.apus.ctl("node", "status").get("peers", [])
        return sum(peer["state"] == "up" for peer in peers) == COUNT

    def change(self, what, expected, apply, effect):
        """Applies a change, waits for its effect, and counts which sessions came up anew."""
        before = established(self.apus)
        apply()
        seen = eventually(30, effect)
        settled = eventually(30, self.all_up)
        after = established(self.apus)
        reset = sorted(peer for peer in after if after[peer] != before.get(peer, 0))
        good = bool(seen and settled) and reset == expected
        self.failed += not good
        words = f"{what}: {len(reset)} of {COUNT} sessions reset" + ("" if seen else ", and no effect seen")
        print(f"{'ok    ' if good else 'FAILED'}  {words}")
        with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
            file.write(f"{'passed' if good else 'failed'}\t{words}\n")


def peer_fields(index, **more):
    """The members of a peer's spec."""
    fields = dict(more)
    if password(index):
        fields["password"] = {"secretKeyRef": {"name": f"peer{index}", "key": "password"}}
    return fields


def run(lab):
    """The whole sequence; answers how many checks failed."""
    apus = Apus(lab, OWN_AS)
    peers = Peers(lab)
    for index in range(COUNT):
        if password(index):
            apus.secret(f"peer{index}", password(index))
        apus.add_peer(f"p{index}", address(index), PEER_AS, **peer_fields(index))
    apus.start()
    peers.start()
    steps = Run(apus, peers)
    steps.change("start", sorted(address(index) for index in range(COUNT)), lambda: None, steps.all_up)

    def new_password():
        peers.passwords[4] = "another"
        peers.write()
        apus.secret("peer4", "another")

    steps.change("one password changed", [address(4)], new_password, lambda: established(apus).get(address(4)) == 2)
    steps.change(
        "one next hop mode changed", [], lambda: apus.add_peer(
            "p7", address(7), PEER_AS, **peer_fields(7, nextHopMode="Keep")),
        lambda: apus.log().count("configuration in force") >= 3)
    steps.change(
        "one hold time changed", [address(9)],
        lambda: apus.add_peer("p9", address(9), PEER_AS, **peer_fields(9, holdTime="30s")),
        lambda: established(apus).get(address(9)) == 2)
    steps.change("a pool added", [], lambda: apus.write("pool.yaml", json.dumps({
        "apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": "more"},
        "spec": {"cidr": "10.245.0.0/16", "blockSize": 26}})), lambda: len(apus.ctl("get", "ippools")["items"]) == 3)
    return steps.failed


def main():
    """Everything in a directory of its own, removed at the end."""
    name = os.urandom(2).hex()
    directory = tempfile.mkdtemp(prefix=f"apus-{name}-")
    os.chmod(directory, 0o755)
    lab = Lab(f"{name}-changes", directory)
    try:
        failed = run(lab)
    finally:
        lab.close()
        if not os.environ.get("INTEROP_KEEP"):
            shutil.rmtree(directory)
    sys.exit(1 if failed else 0)


main()
