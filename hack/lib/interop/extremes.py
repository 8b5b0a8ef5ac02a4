#!/usr/bin/env python3
"""extremes.py: peers at the edge of what the protocol allows, scripted, all with one daemon.

One takes nothing of what it is sent (RFC 9687), one fails again and again (RFC 4271 §8.1.1), one waits for the OPEN, one
speaks in messages of up to 65,535 octets (RFC 8654), one marks what it sends again (RFC 7313), one asks for it without
end, one sends too much, one knows the node by another AS, two have nothing to say of routes that a killed daemon has
left. A peer that behaves is up all the time and has every route. Each line is a check of $APUS_RESULTS.
"""
import os
import re
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bgp_peer import KEEPALIVE, OPEN, ROUTE_REFRESH, UPDATE, Ended, Session, established, message  # noqa: E402
from lab import DIST, Apus, eventually, own_lab  # noqa: E402

OWN = "192.168.1.1"
SEND_HOLD_SECONDS = 3
LOCAL_AS = 64999
BFD = {"minRx": "100ms", "minTx": "100ms", "multiplier": 3}
PREFIXES = 8000
FLOOD = 200_000
MEMORY_LIMIT_KB = 16 * 1024
EXTENDED = bytes([6, 0])


class Member:
    """A scripted peer's place: an address and an AS of its own."""

    def __init__(self, lab, apus, **fields):
        self.number, namespace = lab.join()
        self.namespace = f"/run/netns/{namespace}"
        self.address, self.asn = f"192.168.1.{self.number}", 65000 + self.number
        apus.add_peer(f"p{self.number}", self.address, self.asn, passive=True, **fields)

    def session(self, seconds=20, **options):
        """A session that is up."""
        return established(self.namespace, self.address, OWN, self.asn, seconds, families=((1, 1),), **options)


def attributes(member, mark):
    """ORIGIN, AS_PATH, NEXT_HOP and one community that tells rounds apart."""
    return (b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01" + struct.pack("!I", member.asn)
            + b"\x40\x03\x04" + socket.inet_aton(member.address)
            + b"\xc0\x08\x04" + struct.pack("!HH", 65000, mark & 0xffff))


def update(member, mark, nlri):
    """An UPDATE of IPv4 prefixes, as the wire has them."""
    path = attributes(member, mark)
    return message(UPDATE, struct.pack("!HH", 0, len(path)) + path + nlri)


def host(index):
    """A /32 of the pool as the wire has it."""
    return bytes([32, 10, 244, 128 + index // 256, index % 256])


class Reader(threading.Thread):
    """Takes what comes and answers with KEEPALIVEs; remembers the longest message and who was told of what."""

    def __init__(self, session):
        super().__init__(daemon=True)
        self.session, self.longest, self.known, self.ended = session, 0, set(), None
        self.start()

    def run(self):
        due = 0.0
        try:
            while True:
                if time.monotonic() >= due:
                    self.session.send(message(KEEPALIVE))
                    due = time.monotonic() + 10
                kind, body = self.session.receive(1)
                if kind == UPDATE:
                    self.longest = max(self.longest, 19 + len(body))
                    withdrawn, = struct.unpack("!H", body[:2])
                    path, = struct.unpack("!H", body[2 + withdrawn:4 + withdrawn])
                    rest = body[4 + withdrawn + path:]
                    while rest:
                        octets = 1 + (rest[0] + 7) // 8
                        self.known.add(rest[:octets])
                        rest = rest[octets:]
        except Ended as ended:
            self.ended = ended.notification or (0, 0)


class Checks:
    """The lines of the table."""

    def __init__(self, apus):
        self.apus, self.failed = apus, 0

    def check(self, sentence, good):
        """Prints a line, and counts it."""
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'}  {sentence}", flush=True)
        with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
            file.write(f"{'passed' if good else 'failed'}\t{sentence}\n")

    def peer(self, member):
        """The member's line of `apusctl node status`."""
        for peer in self.apus.ctl("node", "status").get("peers", []):
            if peer["address"] == member.address:
                return peer
        return {"state": "", "info": ""}

    def memory_kb(self):
        """What the daemon has in memory."""
        with open(f"/proc/{self.apus.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def stop_reading(session):
    """Makes the window small; nothing is read from here on."""
    session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)


def stalled(checks, members, feeder, reader):
    """Two peers take nothing while routes change; one of them may do so for ever."""
    impatient, patient = members
    silent = [member.session() for member in members]
    for session in silent:
        stop_reading(session)
    source = feeder.session()
    source.send(message(KEEPALIVE))

    def feed(mark):
        for first in range(0, PREFIXES, 10):
            source.send(update(feeder, mark + first, b"".join(host(i) for i in range(first, first + 10))))

    lost = None
    start = time.monotonic()
    for mark in range(60):
        feed(mark)
        if checks.peer(impatient)["state"] != "up":
            lost = time.monotonic() - start
            break
        time.sleep(0.2)
    info = checks.peer(impatient)["info"]
    checks.check(f"a peer that takes nothing is given up: {info}", "Send Hold Timer Expired" in info)
    checks.check(f"not before its time of {SEND_HOLD_SECONDS} s: after {lost or 0:.1f} s",
                 lost is not None and SEND_HOLD_SECONDS <= lost <= 10 * SEND_HOLD_SECONDS)
    checks.check("one that may take nothing for ever stays", checks.peer(patient)["state"] == "up")
    for mark in range(60, 80):
        feed(mark)
    before = checks.memory_kb()
    for mark in range(80, 140):
        feed(mark)
    grown = checks.memory_kb() - before
    checks.check(f"and costs no more memory for 60 rounds of {PREFIXES} changes: {grown} KiB more, of {before}",
                 grown <= MEMORY_LIMIT_KB)
    checks.check("meanwhile the peer that reads has every route", eventually(
        20, lambda: {host(i) for i in range(PREFIXES)} <= reader.known))
    checks.check("and its session is the one from the start", reader.ended is None)
    for session in (source, *silent):
        session.close()


def failing(checks, member):
    """A peer that sends garbage as often as it may."""
    held = 0
    for _ in range(3):
        session = member.session()
        try:
            session.send(bytes(19))
            session.receive(5)
        except Ended as ended:
            checks.check(f"garbage is answered with a NOTIFICATION, {ended.notification}", ended.notification == (1, 1))
        session.close()
        info = checks.peer(member)["info"]
        held += "held for" in info
    checks.check(f"the second and the third failure keep it in Idle: {info}", held == 2)
    refused = False
    try:
        Session(member.namespace, member.address, OWN, member.asn, families=((1, 1),)).establish(1)
    except (Ended, OSError):
        refused = True
    checks.check("a connection is refused meanwhile", refused)
    start = time.monotonic()
    session = member.session()
    checks.check(f"then it may come back: after {time.monotonic() - start:.1f} s, at most 2",
                 time.monotonic() - start <= 3)
    session.close()


def delayed(checks, member):
    """A peer whose OPEN is waited for."""
    session = Session(member.namespace, member.address, OWN, member.asn, families=((1, 1),))
    start = time.monotonic()
    kind, _ = session.receive(10)
    waited = time.monotonic() - start
    checks.check(f"the OPEN comes after delayOpenTime: {waited:.2f} s", kind == OPEN and 1.9 <= waited <= 3)
    session.close()
    start = time.monotonic()
    session = member.session()
    waited = time.monotonic() - start
    checks.check(f"or with the peer's own: {waited:.2f} s", waited < 1.5)
    session.close()


def long_messages(checks, member, reader, plain):
    """Messages of up to 65,535 octets go both ways where the capability was exchanged."""
    speaking = member.session(capabilities=EXTENDED)
    heard = Reader(speaking)
    size = (65535 - 19 - 4 - len(attributes(member, 1))) // 5
    first = PREFIXES
    speaking.send(update(member, 1, b"".join(host(i) for i in range(first, first + size))))
    wanted = {host(i) for i in range(first, first + size)}
    checks.check(f"an UPDATE of {size} prefixes in one message is taken, and passed on in messages of at most "
                 f"{reader.longest} octets", eventually(30, lambda: wanted <= reader.known) and reader.longest <= 4096)
    source = plain.session()
    count = 4000
    for start in range(0, count, 500):
        source.send(update(plain, 7, b"".join(host(i) for i in range(start, start + 500))))
    told = {host(i) for i in range(count)}
    seen = eventually(30, lambda: told <= heard.known)
    checks.check(f"what goes to it comes in messages of up to {heard.longest} octets",
                 seen and 4096 < heard.longest <= 65535)
    checks.check("the sessions last", heard.ended is None and reader.ended is None)
    source.send(update(plain, 9, b"".join(host(i) for i in range(PREFIXES - 1000, PREFIXES))))
    checks.check("one that takes none may send one all the same (RFC 8654 §3)", eventually(
        10, lambda: reader.ended is None and {host(PREFIXES - 1)} <= heard.known))
    source.close()


def refreshed(checks, apus, member):
    """ROUTE-REFRESH with its markers, asked for by either side (RFC 7313)."""
    session = member.session(capabilities=bytes([70, 0]))
    own = f"10.244.{apus.number}.0/26"
    session.send(message(UPDATE, bytes(4)))
    heard = []

    def listen(until, seconds=10):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            kind, body = session.receive(0.2)
            if kind == ROUTE_REFRESH:
                heard.append({0: "request", 1: "begin", 2: "end"}.get(body[2]))
            elif body == bytes(4):
                heard.append("End-of-RIB")
            elif kind == UPDATE:
                heard.append(own if bytes([26, 10, 244, apus.number, 0]) in body else "others")
            if until():
                return True
        return False

    checks.check("its initial feed ends", listen(lambda: "End-of-RIB" in heard))
    heard.clear()
    session.send(message(ROUTE_REFRESH, struct.pack("!HBB", 1, 0, 1)))
    ended = listen(lambda: "end" in heard)
    checks.check(f"a refresh has a beginning, {own} and an end", ended and own in heard and heard.count("end") == 1
                 and heard[0] == "begin" and heard[-1] == "end" and "End-of-RIB" not in heard)
    networks = [bytes([32, 10, 244, 100, index]) for index in (1, 2)]
    session.send(update(member, 1, b"".join(networks)))

    def table():
        return {row["prefix"] for row in apus.ctl("bgp", "received", member.address).get("items", [])}

    both = {"10.244.100.1/32", "10.244.100.2/32"}
    checks.check("two routes come", eventually(5, lambda: table() == both))
    session.send(message(ROUTE_REFRESH, struct.pack("!HBB", 1, 1, 1)) + update(member, 1, networks[0])
                 + message(ROUTE_REFRESH, struct.pack("!HBB", 1, 2, 1)))
    checks.check("the one that does not come again between the markers goes", eventually(
        5, lambda: table() == {"10.244.100.1/32"}))
    command = [os.path.join(DIST, "apusctl"), "--run-dir", os.path.join(apus.directory, "run"), "bgp", "refresh"]
    heard.clear()
    told = apus.lab.run(apus.namespace, [*command, member.address])
    checks.check("apusctl bgp refresh asks the peer for its routes", "has been asked" in told
                 and listen(lambda: "request" in heard))
    heard.clear()
    told = apus.lab.run(apus.namespace, [*command, "--out", member.address])
    checks.check("with --out it sends the peer this node's, between markers", "sent again" in told
                 and listen(lambda: "end" in heard) and heard[0] == "begin" and own in heard)
    checks.check("the routes of the session are as they were", table() == {"10.244.100.1/32"})
    session.close()
    checks.check("without a session there is nothing to refresh", eventually(
        5, lambda: not apus.lab.run(apus.namespace, [*command, member.address])))


def flooded(checks, member):
    """A peer that asks for everything again without end, and reads nothing."""
    session = member.session(capabilities=bytes([70, 0]))
    session.send(message(UPDATE, bytes(4)))
    checks.check("the initial feed of another is over", eventually(
        10, lambda: session.receive(1) == (UPDATE, bytes(4))))
    stop_reading(session)
    before = checks.memory_kb()
    # A window that is closed slows the other direction down too.
    session.socket.settimeout(20)
    requests = message(ROUTE_REFRESH, struct.pack("!HBB", 1, 0, 1)) * 1000
    for _ in range(FLOOD // 1000):
        session.send(requests)
    grown = checks.memory_kb() - before
    checks.check(f"{FLOOD} requests for routes cost it little: {grown} KiB more, of {before}",
                 grown <= MEMORY_LIMIT_KB)
    checks.check("and the log no line each", checks.apus.log().count("sent again") < 100)
    checks.check("the session is up", checks.peer(member)["state"] == "up")
    session.close()


def limited(checks, member, warned):
    """More prefixes than a peer may send."""
    session = member.session()
    nlri = b"".join(bytes([32, 10, 244, 101, index]) for index in range(20))
    session.send(update(member, 1, nlri))
    try:
        while session.receive(5)[0] is not None:
            pass
        notification = None
    except Ended as ended:
        notification = ended.notification
    checks.check(f"the session of a peer that sends too many ends with {notification}", notification == (6, 1))
    info = checks.peer(member)["info"]
    checks.check(f"node status says why: {info}", "too many prefixes" in info)
    start = time.monotonic()
    member.session().close()
    waited = time.monotonic() - start
    checks.check(f"it may come back after its time: {waited:.1f} s", 1 <= waited <= 4)
    checks.apus.add_peer(f"p{member.number}", member.address, member.asn, passive=True, maximumPrefixes=10,
                         maximumPrefixesRestartTime="0s")
    session = member.session()
    eventually(10, lambda: checks.peer(member)["state"] == "up")
    time.sleep(0.5)
    session.send(update(member, 1, nlri))
    checks.check("without such a time it stays away", eventually(5, lambda: checks.peer(member)["state"] != "up"))
    checks.apus.add_peer(f"p{member.number}", member.address, member.asn, passive=True, maximumPrefixes=100)
    back = None
    try:
        back = member.session(5)
    except TimeoutError:
        pass
    checks.check("until it may send more", back is not None)
    if back:
        back.close()
    session = warned.session()
    session.send(update(warned, 1, nlri))
    checks.check("one of which the log only warns", eventually(
        5, lambda: "many prefixes from the peer" in checks.apus.log()))
    checks.check("stays", session.receive(1)[0] is not None or checks.peer(warned)["state"] == "up")
    session.close()


def renamed(checks, apus, member):
    """A peer that knows the node by another AS."""
    session = Session(member.namespace, member.address, OWN, member.asn, families=((1, 1),)).establish()
    heard = []
    eventually(10, lambda: heard.append(session.receive(1)) or heard[-1][0] == UPDATE)
    path = b"\x02\x01" + struct.pack("!I", LOCAL_AS)
    own = bytes([26, 10, 244, apus.number, 0])
    checks.check(f"a peer with a localASNumber is shown AS {LOCAL_AS}, in the AS_PATH alone", any(
        path in body and own in body for kind, body in heard if kind == UPDATE))
    session.close()


def adopted(checks, apus, members):
    """Routes that a killed daemon has left, and peers that have nothing to say of them: one hangs up for good, another's
    Node is removed, a third falls silent, which a BIRD beside the script lets BFD see."""
    first, second, third = members
    start_bfd(apus, third)
    blocks = {member: f"10.244.{member.number}.0/26" for member in members}

    lab = apus.lab

    def kernel_has(member):
        return blocks[member] in lab_routes(apus)

    apus.write("node-second.yaml", NODE.format(address=second.address))
    sessions = [member.session() for member in members]
    for member, session in zip(members, sessions):
        nlri = bytes([26, 10, 244, member.number, 0])
        session.send(update(member, 1, nlri) + message(UPDATE, bytes(4)))
    checks.check("three peers' routes are in the kernel", eventually(10, lambda: all(map(kernel_has, members))))
    checks.check("BFD is up", eventually(20, lambda: "BFD session up" in apus.log()))
    apus.kill()
    for session in sessions:
        session.close()
    apus.start()
    sessions = [member.session(30) for member in members]
    time.sleep(1)
    checks.check("a killed daemon's successor keeps them", all(map(kernel_has, members)))
    sessions[0].send(message(3, bytes([6, 2])))
    checks.check("a peer that goes for good: its route of the earlier run goes", eventually(
        2, lambda: not kernel_has(first)) and kernel_has(second))
    os.unlink(os.path.join(apus.resources, "node-second.yaml"))
    checks.check("a Node that is removed: its route of the earlier run goes", eventually(
        3, lambda: not kernel_has(second)) and kernel_has(third))
    checks.check("BFD is up again", eventually(10, lambda: apus.log().count("BFD session up") >= 2))
    lab.ip(lab.switch, "link", "set", f"v{third.number}", "nomaster")
    checks.check("a peer that BFD finds dead: its route of the earlier run goes", eventually(
        1, lambda: not kernel_has(third)))
    for session in sessions:
        session.close()


def start_bfd(apus, member):
    """BIRD, for BFD alone, at the member's address."""
    path = os.path.join(apus.lab.directory, "bfd.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""router id {member.address};
protocol device {{ }}
protocol bfd {{
    interface "eth0" {{ interval 100 ms; multiplier 3; }};
    neighbor {OWN} dev "eth0" local {member.address};
}}
""")
    apus.lab.spawn(os.path.basename(member.namespace), [
        "bird", "-f", "-c", path, "-s", path + ".ctl", "-P", path + ".pid"], path + ".log")


def lab_routes(apus):
    """The node's routes."""
    return apus.lab.run(apus.namespace, ["ip", "route"])


NODE = """\
apiVersion: projectcalico.org/v3
kind: Node
metadata: {{name: second}}
spec: {{bgp: {{ipv4Address: {address}/24}}}}
"""


def run(lab):
    """All peers on one daemon; answers how many checks failed."""
    apus = Apus(lab, 65000)
    stuck = [Member(lab, apus, sendHoldTime=f"{SEND_HOLD_SECONDS}s"), Member(lab, apus, sendHoldTime="0s")]
    feeder, listener = Member(lab, apus, idleHoldTime="0s"), Member(lab, apus)
    broken, late, wordy = Member(lab, apus), Member(lab, apus, delayOpenTime="2s"), Member(lab, apus)
    leaving = (Member(lab, apus), Member(lab, apus), Member(lab, apus, bfd=BFD))
    limits = (Member(lab, apus, maximumPrefixes=10, maximumPrefixesRestartTime="2s"),
              Member(lab, apus, maximumPrefixes=10, maximumPrefixesAction="Warn"))
    alias, greedy = Member(lab, apus, localASNumber=LOCAL_AS), Member(lab, apus)
    apus.start()
    checks = Checks(apus)
    reader = Reader(listener.session(40))
    failing(checks, broken)
    delayed(checks, late)
    stalled(checks, stuck, feeder, reader)
    long_messages(checks, wordy, reader, feeder)
    refreshed(checks, apus, late)
    flooded(checks, greedy)
    limited(checks, *limits)
    renamed(checks, apus, alias)
    adopted(checks, apus, leaving)
    return checks.failed


def main():
    """All of it; the exit status says whether anything failed."""
    with own_lab("extremes") as lab:
        failed = run(lab)
    sys.exit(1 if failed else 0)


main()
