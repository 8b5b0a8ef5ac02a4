#!/usr/bin/env python3
"""matrix.py [SPEAKER…]: Apus against each BGP speaker, in every role, and a table of what was seen.

A cell is `pass`, `FAIL` with a reason below, or a number that stands for a limit of the peer, named below the table.
Each check is also a line of $APUS_RESULTS. Exit 0 when nothing failed.
"""
import os
import shutil
import sys
import tempfile
import threading
import time

import paths
from lab import Apus, Lab, eventually
from speakers import SPEAKERS, Neighbour

COLUMNS = [
    "eBGP v4", "eBGP v6", "iBGP v4", "iBGP v6", "MD5 v4", "MD5 v6", "GTSM v4", "GTSM v6", "Apus reflects",
    "Apus is client", "large comm.", "refresh", "peer restarts", "Apus restarts", "add-path",
    *paths.COLUMNS, "long messages",
]
OWN = 65001
SESSION_SECONDS = 40


class Cells:
    """What was seen, by speaker and column."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rows = {}

    def note(self, speaker, column, reason):
        """Notes a cell: `reason` is empty where it passed. A cell that failed once stays failed."""
        with self.lock:
            row = self.rows.setdefault(speaker, {})
            if not row.get(column):
                row[column] = reason


class Case:
    """One speaker in one lab: sessions that come up, routes that arrive."""

    def __init__(self, cells, lab, speaker):
        self.cells, self.lab, self.speaker = cells, lab, speaker

    def check(self, column, sentence, condition, seconds=15):
        """Waits for the condition; answers whether it came."""
        seen = eventually(seconds, condition)
        self.cells.note(self.speaker, column, "" if seen else sentence)
        return seen

    def sessions(self, apus, peer, neighbour, columns):
        """Both sessions come up, and the routes of each family arrive at both ends."""
        for family, column in zip((4, 6), columns):
            address = peer.address4 if family == 4 else peer.address6
            if not self.check(column, f"no IPv{family} session", lambda f=family, a=address: apus.up(a)
                              and peer.up(neighbour, f), SESSION_SECONDS):
                continue
            theirs = peer.prefix4 if family == 4 else peer.prefix6
            ours = f"10.244.{apus.number}.0/26" if family == 4 else f"fd00:244:0:{apus.number}::/122"
            self.check(column, f"{theirs} did not reach Apus", lambda p=theirs: apus.route(p))
            self.check(column, f"{ours} did not reach the peer", lambda p=ours: peer.route(p))


def pair(lab, speaker, own, remote, **protection):
    """Apus and one peer with a session for each family."""
    apus = Apus(lab, own)
    peer = SPEAKERS[speaker](lab, remote)
    neighbour = Neighbour(apus.number, own, **{k: v for k, v in protection.items() if v})
    peer.neighbours.append(neighbour)
    for family, address in ((4, peer.address4), (6, peer.address6)):
        fields = {}
        if protection.get(f"password{family}"):
            apus.secret("peer", protection[f"password{family}"])
            fields["password"] = {"secretKeyRef": {"name": "peer", "key": "password"}}
        if protection.get(f"gtsm{family}"):
            fields["ttlSecurity"] = 1
        apus.add_peer(f"v{family}", address, remote, **fields)
    apus.start()
    peer.start()
    return apus, peer, neighbour


def plain(case):
    """eBGP, with what is asked of a session that is up."""
    apus, peer, neighbour = pair(case.lab, case.speaker, OWN, 65002)
    case.sessions(apus, peer, neighbour, ("eBGP v4", "eBGP v6"))
    refreshes = apus.log().count("route refresh asked for")
    for family in (4, 6):
        peer.refresh(neighbour, family)
    case.check("refresh", "no ROUTE-REFRESH came", lambda: apus.log().count("route refresh asked for") >= refreshes + 2)
    case.check("refresh", "the routes are gone after a refresh", lambda: peer.route(f"10.244.{apus.number}.0/26"))
    for family, prefix in ((4, f"10.244.{apus.number}.0/26"), (6, f"fd00:244:0:{apus.number}::/122")):
        case.check("add-path", f"path identifiers were not agreed on for IPv{family}",
                   lambda f=family: peer.add_path(neighbour, f), 3)
        case.check("add-path", f"{prefix} did not come with a path identifier", lambda p=prefix: peer.route(p))
    for family, address in ((4, peer.address4), (6, peer.address6)):
        case.check("long messages", f"extended messages were not agreed on for IPv{family}",
                   lambda a=address: any("extended messages" in row.get("agreed", "") for row in apus.ctl(
                       "bgp", "peers").get("items", []) if row["address"] == a), 3)
    restarts(case, apus, peer, neighbour)


def internal(case):
    """iBGP."""
    apus, peer, neighbour = pair(case.lab, case.speaker, OWN, OWN)
    case.sessions(apus, peer, neighbour, ("iBGP v4", "iBGP v6"))


def protected(case, key_family):
    """TCP-MD5 on one family's session and GTSM on the other's."""
    other = 10 - key_family
    apus, peer, neighbour = pair(
        case.lab, case.speaker, OWN, 65002, **{f"password{key_family}": "open-sesame", f"gtsm{other}": True})
    columns = {key_family: f"MD5 v{key_family}", other: f"GTSM v{other}"}
    case.sessions(apus, peer, neighbour, (columns[4], columns[6]))


def reflector(case):
    """Apus reflects between two clients of the speaker's."""
    apus = Apus(case.lab, OWN, cluster="244.0.0.1")
    peers = [SPEAKERS[case.speaker](case.lab, OWN) for _ in range(2)]
    for peer in peers:
        neighbour = Neighbour(apus.number, OWN)
        peer.neighbours.append(neighbour)
        apus.add_peer(f"a{peer.number}", peer.address4, OWN)
        apus.add_peer(f"b{peer.number}", peer.address6, OWN)
    apus.start()
    for peer in peers:
        peer.start()
    for peer in peers:
        case.sessions(apus, peer, peer.neighbours[0], ("Apus reflects", "Apus reflects"))
    for source, target in (peers, peers[::-1]):
        for prefix in (source.prefix4, source.prefix6):
            case.check("Apus reflects", f"{prefix} was not reflected",
                       lambda p=prefix, t=target: (t.route(p) or {}).get("reflected"))
            case.check("large comm.", f"{prefix} came without its large community",
                       lambda p=prefix, s=source, t=target: (t.route(p) or {}).get("large") == s.large)


def client(case):
    """The speaker reflects between two Apus."""
    nodes = [Apus(case.lab, OWN) for _ in range(2)]
    peer = SPEAKERS[case.speaker](case.lab, OWN)
    for node in nodes:
        peer.neighbours.append(Neighbour(node.number, OWN, client=True))
        node.add_peer("v4", peer.address4, OWN)
        node.add_peer("v6", peer.address6, OWN)
        node.start()
    peer.start()
    for node, neighbour in zip(nodes, peer.neighbours):
        case.sessions(node, peer, neighbour, ("Apus is client", "Apus is client"))
    for source, target in (nodes, nodes[::-1]):
        for prefix in (f"10.244.{source.number}.0/26", f"fd00:244:0:{source.number}::/122"):
            case.check("Apus is client", f"{prefix} did not come through the reflector",
                       lambda p=prefix, t=target: t.route(p))


def restarts(case, apus, peer, neighbour):
    """Each side is killed and comes back while the other keeps its routes (RFC 4724)."""
    watch = Presence(lambda: apus.route(peer.prefix4) and apus.route(peer.prefix6))
    peer.kill()
    time.sleep(1)
    peer.start(restarting=True)
    up = case.check("peer restarts", "no session after the peer's restart",
                    lambda: all(peer.up(neighbour, f) for f in (4, 6)), SESSION_SECONDS)
    time.sleep(2 if up else 0)
    case.cells.note(case.speaker, "peer restarts", watch.end("Apus"))
    ours = (f"10.244.{apus.number}.0/26", f"fd00:244:0:{apus.number}::/122")
    eventually(15, lambda: all(peer.route(prefix) for prefix in ours))
    watch = Presence(lambda: all(peer.route(prefix) for prefix in ours))
    apus.kill()
    time.sleep(0.5)
    apus.start()
    up = case.check("Apus restarts", "no session after the restart of Apus",
                    lambda: apus.up(peer.address4) and apus.up(peer.address6), SESSION_SECONDS)
    time.sleep(2 if up else 0)
    case.cells.note(case.speaker, "Apus restarts", watch.end("the peer"))


class Presence:
    """Looks again and again whether something is there, until told to stop."""

    def __init__(self, condition):
        self.condition, self.looks, self.misses, self.stopped = condition, 0, 0, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopped:
            self.looks += 1
            if not self.condition():
                self.misses += 1
            time.sleep(0.1)

    def end(self, who):
        """Why it was not there throughout; empty when it was."""
        self.stopped = True
        self.thread.join()
        if self.looks < 5:
            return f"{who}: looked {self.looks} times only"
        return f"{who} was without the routes at {self.misses} of {self.looks} looks" if self.misses else ""


CASES = {
    "plain": plain, "internal": internal, "key4": lambda case: protected(case, 4),
    "key6": lambda case: protected(case, 6), "reflector": reflector, "client": client, **paths.CASES,
}


def run_speaker(cells, speaker, directory, run, errors):
    """All cases of one speaker, one after the other."""
    for name, body in CASES.items():
        if CHOSEN and name not in CHOSEN:
            continue
        lab = None
        try:
            lab = Lab(f"{run}-{speaker[:2]}-{name}", directory)
            body(Case(cells, lab, speaker))
        except Exception as error:  # A case that ends early is a failure of its own, and the others go on.
            errors.append(f"{speaker}: {name} ended early: {error!r}")
        finally:
            if lab:
                lab.close()


def report(cells, speakers, errors):
    """Prints the table and what is below it; answers how many checks failed."""
    limits, failures, table = [], list(errors), []
    results = open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8")
    for speaker in speakers:
        row = [speaker]
        for column in COLUMNS:
            seen = cells.rows.get(speaker, {}).get(column, "not tried" if not CHOSEN else None)
            limit = SPEAKERS[speaker].limits.get(column)
            if seen is None:
                row.append("-")
            elif not seen:
                row.append("pass")
                results.write(f"passed\t{speaker}: {column}\n")
            elif limit:
                if limit not in limits:
                    limits.append(limit)
                row.append(f"({limits.index(limit) + 1})")
                results.write(f"skipped\t{speaker}: {column}: {limit}\n")
            else:
                row.append("FAIL")
                failures.append(f"{speaker}: {column}: {seen}")
        table.append(row)
    table = list(zip(["", *COLUMNS], *table))
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    for number, limit in enumerate(limits, 1):
        print(f"({number}) {limit}")
    for failure in failures:
        results.write(f"failed\t{failure}\n")
        print(f"FAILED {failure}")
    results.close()
    return len(failures)


CHOSEN = os.environ.get("INTEROP_CASES", "").split()


def main():
    """Speakers side by side, the cases of each in order."""
    speakers = sys.argv[1:] or list(SPEAKERS)
    run = os.urandom(2).hex()
    directory = tempfile.mkdtemp(prefix=f"apus-{run}-")
    os.chmod(directory, 0o755)
    cells, errors = Cells(), []
    threads = [
        threading.Thread(target=run_speaker, args=(cells, speaker, directory, run, errors)) for speaker in speakers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = report(cells, speakers, errors)
    if failed and os.environ.get("INTEROP_KEEP"):
        print(f"kept: {directory}")
    else:
        shutil.rmtree(directory)
    sys.exit(1 if failed else 0)


main()
