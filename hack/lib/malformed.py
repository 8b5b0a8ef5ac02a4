"""The table testdata/bgp/malformed.tsv as UPDATEs, for whoever sends them; the head of that file says what its columns are."""
import json
import os
import subprocess
import sys
import time

import bgp_peer
from bgp_peer import UPDATE, message

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join(TOP, "testdata", "bgp", "malformed.tsv")
# The good attributes by type; AS 65010 is a router far away, the next hop a host that is nobody.
GOOD = {1: "400101 00", 2: "400206 0201 0000fdf2", 3: "400304 0a000009", 5: "400504 00000064"}


class Row:
    """One row: `subcode` is None where no error is expected."""

    def __init__(self, line):
        fields = line.rstrip("\n").split("\t")
        self.attribute, self.case, self.sessions, self.action = fields[:4]
        self.subcode = None if fields[4] == "-" else int(fields[4])
        self.withdrawn, self.attributes, self.nlri = fields[5:]

    def __str__(self):
        return f"{self.attribute}: {self.case}"

    def frame(self, session, prefix4="20 0af401c8", prefix6="80 fd000000000000000000000000000001", good=None):
        """The UPDATE for a session of this kind, `ibgp` or `ebgp`; prefixes and good attributes in hexadecimal digits."""
        words = {"P4": prefix4, "P6": prefix6}
        good = dict(good or GOOD)
        if session == "ebgp":
            good.pop(5, None)

        def octets(field):
            out = b""
            for word in field.split():
                if word == "-" or word.startswith("len:"):
                    continue
                if word.startswith("good"):
                    left = {int(part) for part in word.split("-")[1:]}
                    out += b"".join(bytes.fromhex(good[t]) for t in sorted(good) if t not in left)
                else:
                    out += bytes.fromhex(words.get(word, word))
            return out

        def sized(field):
            value = octets(field)
            if field.startswith("len:"):
                return bytes.fromhex(field.split()[0][4:]) + value
            return len(value).to_bytes(2, "big") + value

        return message(UPDATE, sized(self.withdrawn) + sized(self.attributes) + octets(self.nlri))


def rows():
    """The rows of the table."""
    with open(TABLE, encoding="utf-8") as file:
        return [Row(line) for line in file if not line.startswith("#")]


def prefixes(number):
    """Prefixes that are one row's alone: in hexadecimal digits of the wire, and as text."""
    low = number + 1
    four = f"20 0af4{4 + low // 200:02x}{low % 200 + 1:02x}"
    six = f"80 fd00000000000000000000000000{low:04x}"
    return four, six, f"10.244.{4 + low // 200}.{low % 200 + 1}/32", f"fd00::{low:x}/128"


class Bench:
    """A kind of session with the daemon, and how rows fare on it."""

    def __init__(self, kind, peer):
        self.kind = kind
        self.namespace, self.address, asn = peer.split()
        self.asn = int(asn)
        self.rows = [(i, row) for i, row in enumerate(rows()) if row.sessions in ("both", kind)]

    def session(self):
        """A session that is up."""
        return bgp_peer.established(self.namespace, self.address, os.environ["SPEAKER"], self.asn)

    def good(self, number):
        """UPDATEs that announce both prefixes of a row as they should be."""
        four, six, _, _ = prefixes(number)
        reach = "800e 26 000201 10 20010db8000000000000000000000009 00 P6 good-3"
        for attributes, nlri in (("good", "P4"), (reach, "-")):
            row = Row("\t".join(("0", "good", "both", "accept", "-", "-", attributes, nlri)))
            yield row.frame(self.kind, four, six)

    def run(self, report):
        """Every row: first, on one session, those that it must survive; then each that must end one."""
        session = self.session()
        survivors = [(i, row) for i, row in self.rows if row.action != "reset"]
        fates = {}
        for i, row in survivors:
            four, six, text4, text6 = prefixes(i)
            if row.action == "withdraw":
                for frame in self.good(i):
                    session.send(frame)
            fates[i] = text6 if "P6" in row.attributes else text4
        wait_for(routes, lambda seen: all(fates[i] in seen for i, row in survivors if row.action == "withdraw"))
        for i, row in survivors:
            session.send(row.frame(self.kind, *prefixes(i)[:2]))
        sentinel = len(rows())
        for frame in self.good(sentinel):
            session.send(frame)
        seen = wait_for(routes, lambda seen: set(prefixes(sentinel)[2:]) <= seen)
        for i, row in survivors:
            is_there = fates[i] in seen
            report(is_there == (row.action != "withdraw"), f"{self.kind} {row}: {row.action}")
        try:
            session.drain()
            session.send(bgp_peer.message(bgp_peer.KEEPALIVE))
            report(True, f"{self.kind}: the session lives through {len(survivors)} of them")
        except bgp_peer.Ended as ended:
            report(False, f"{self.kind}: the session lives through {len(survivors)} of them ({ended})")
        session.close()
        for i, row in [(i, row) for i, row in self.rows if row.action == "reset"]:
            session = self.session()
            session.send(row.frame(self.kind, *prefixes(i)[:2]))
            notification = session.last_notification()
            report(notification == (3, row.subcode),
                   f"{self.kind} {row}: NOTIFICATION 3/{row.subcode} (came: {notification})")
            session.close()


def listed(kind):
    """What `apusctl get` lists."""
    command = ["nsenter", f"--net={os.environ['SPEAKER_NAMESPACE']}", "--", *os.environ["APUSCTL"].split(),
               "get", kind, "-o", "json"]
    return json.loads(subprocess.check_output(command))["items"]


def routes():
    """The prefixes that the daemon has chosen a route to."""
    return {item["prefix"] for item in listed("routes")}


def wait_for(read, holds, seconds=10.0):
    """What `read` gives as soon as it `holds`, or at the end of the time."""
    deadline = time.monotonic() + seconds
    while True:
        seen = read()
        if holds(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(0.1)


def main():
    """Sends every row to the daemon of hack/lib/scripted_peers.sh; the checks go to $APUS_RESULTS."""
    with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as results:
        def report(is_good, sentence):
            results.write(f"{'passed' if is_good else 'failed'}\t{sentence}\n")
            print(f"  {'ok     ' if is_good else 'FAILED '} {sentence}", file=sys.stderr)

        for kind in ("ibgp", "ebgp"):
            Bench(kind, os.environ["INTERNAL_PEER" if kind == "ibgp" else "EXTERNAL_PEER"]).run(report)


if __name__ == "__main__":
    main()
