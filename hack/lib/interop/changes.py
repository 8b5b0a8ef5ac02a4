#!/usr/bin/env python3
"""changes.py: fifty sessions are up; a filter, a password, a timer are changed; which sessions were reset is counted.

What a filter does is seen at both ends: in what the peers were told and in what the daemon takes from them.

The peers are one process with fifty addresses (manypeers.py); every other one has a password. Session starts are
counted in the daemon's log. Prints a table; each line of it is a check of $APUS_RESULTS.
"""
import json
import os
import re
import sys

from lab import Apus, eventually, own_lab

COUNT = 50
PEER_AS, OWN_AS = 65002, 65001
OWN_BLOCK = "10.244.1.0/26"
FILTERED = range(10, 20)


def address(index):
    """The address of a peer."""
    return f"192.168.1.{100 + index}"


def block(index):
    """What a peer announces."""
    return f"10.244.{100 + index}.0/26"


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
            "neighbour": "192.168.1.1", "as": PEER_AS, "path": [PEER_AS],
            "blocks": {address(index): block(index) for index in range(COUNT)},
            "peers": {address(index): self.passwords[index] for index in range(COUNT)}}
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(settings, file)
        os.rename(self.path + ".new", self.path)

    @property
    def log(self):
        """Where the process writes what happens."""
        return os.path.join(self.lab.directory, "peers.log")

    def start(self):
        """Starts the process."""
        self.write()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "manypeers.py")
        self.lab.spawn(self.namespace, ["python3", script, self.path], self.log)

    def knowing(self, prefix):
        """The peers that have been told of the prefix, and not that it is gone."""
        known = set()
        with open(self.log, encoding="utf-8") as file:
            for line in file:
                # The last line may be half written.
                if not line.startswith("{") or not line.endswith("}\n"):
                    continue
                event = json.loads(line)
                if event["event"] == prefix:
                    known.add(event["peer"])
                elif event["event"] in ("-" + prefix, "down"):
                    known.discard(event["peer"])
        return known


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
        words = f"{what}: {len(reset)} of {COUNT} sessions reset" + ("" if seen else ", and no effect seen")
        self.check(words, seen and settled and reset == expected)

    def check(self, words, good):
        """Prints a line, and counts it."""
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'}  {words}")
        with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
            file.write(f"{'passed' if good else 'failed'}\t{words}\n")


def peer_fields(index, **more):
    """The members of a peer's spec."""
    fields = dict(more)
    if password(index):
        fields["password"] = {"secretKeyRef": {"name": f"peer{index}", "key": "password"}}
    return fields


def write_filter(apus, exports, imports):
    """Writes the filter of the peers of FILTERED."""
    apus.write("filter.yaml", json.dumps({
        "apiVersion": "projectcalico.org/v3", "kind": "BGPFilter", "metadata": {"name": "some"},
        "spec": {"exportV4": exports, "importV4": imports}}))


def filters(steps, apus, peers):
    """A filter that ten peers share is changed, given to one more, and changed back."""
    everybody = {address(index) for index in range(COUNT)}
    chosen = {address(index) for index in FILTERED}

    def taken():
        return {row["peer"] for row in apus.ctl("get", "routes").get("items", []) if row.get("peer")}

    def is_seen(refused):
        return peers.knowing(OWN_BLOCK) == everybody - refused and taken() == everybody - refused

    steps.check("before: every peer has the own block, and every peer's block is taken", eventually(
        20, lambda: is_seen(set())))
    refuse_own = [{"matchOperator": "In", "cidr": OWN_BLOCK, "action": "Reject"}]
    refuse_theirs = [{"matchOperator": "In", "cidr": "10.244.0.0/16", "action": "Reject"}]
    steps.change("one BGPFilter of ten peers refuses, both ways", [],
                 lambda: write_filter(apus, refuse_own, refuse_theirs), lambda: is_seen(chosen))
    steps.change("one peer more has the filter", [], lambda: apus.add_peer(
        "p21", address(21), PEER_AS, **peer_fields(21, filters=["some"])), lambda: is_seen(chosen | {address(21)}))
    steps.change("the BGPFilter accepts again", [], lambda: write_filter(apus, [], []), lambda: is_seen(set()))


def run(lab):
    """The whole sequence; answers how many checks failed."""
    apus = Apus(lab, OWN_AS)
    peers = Peers(lab)
    write_filter(apus, [], [])
    for index in range(COUNT):
        if password(index):
            apus.secret(f"peer{index}", password(index))
        more = {"filters": ["some"]} if index in FILTERED else {}
        apus.add_peer(f"p{index}", address(index), PEER_AS, **peer_fields(index, **more))
    apus.start()
    peers.start()
    steps = Run(apus, peers)
    steps.change("start", sorted(address(index) for index in range(COUNT)), lambda: None, steps.all_up)

    filters(steps, apus, peers)

    def new_password():
        peers.passwords[4] = "another"
        peers.write()
        apus.secret("peer4", "another")

    steps.change("one password changed", [address(4)], new_password, lambda: established(apus).get(address(4)) == 2)
    loads = apus.log().count("configuration in force")
    steps.change(
        "one next hop mode changed", [], lambda: apus.add_peer(
            "p7", address(7), PEER_AS, **peer_fields(7, nextHopMode="Keep")),
        lambda: apus.log().count("configuration in force") > loads)
    steps.change(
        "one hold time changed", [address(9)],
        lambda: apus.add_peer("p9", address(9), PEER_AS, **peer_fields(9, holdTime="30s")),
        lambda: established(apus).get(address(9)) == 2)
    steps.change("a pool added", [], lambda: apus.write("pool.yaml", json.dumps({
        "apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": "more"},
        "spec": {"cidr": "10.245.0.0/16", "blockSize": 26}})), lambda: len(apus.ctl("get", "ippools")["items"]) == 3)
    return steps.failed


def main():
    """All of it; the exit status says whether anything failed."""
    with own_lab("changes") as lab:
        failed = run(lab)
    sys.exit(1 if failed else 0)


main()
