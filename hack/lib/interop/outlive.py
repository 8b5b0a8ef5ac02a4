#!/usr/bin/env python3
"""outlive.py: two nodes whose only route reflector is gone for longer than its restart time (RFC 9494).

Their routes stay, marked, packets flow, and a reflector that comes back with empty hands takes nothing away before it
has said everything. So does one whose link was down for longer than that. Each line is a check of $APUS_RESULTS.
"""
import json
import os
import re
import shutil
import signal
import sys
import time

from lab import Apus, eventually, own_lab
from paths import kernel_ways

AS, RESTART_SECONDS = 65001, 2


def check(sentence, good, results):
    """Prints a line, and counts it."""
    print(f"{'ok    ' if good else 'FAILED'}  {sentence}")
    with open(os.environ.get("APUS_RESULTS", os.devnull), "a", encoding="utf-8") as file:
        file.write(f"{'passed' if good else 'failed'}\t{sentence}\n")
    results.append(bool(good))


def block(node):
    """The IPv4 block of a member."""
    return f"10.244.{node.number}.0/26"


def add_peer(member, peer, **fields):
    """Makes one the peer of the other."""
    member.add_peer(peer.node, f"192.168.1.{peer.number}", AS, maxRestartTime=f"{RESTART_SECONDS}s", **fields)


def cluster(lab):
    """A reflector and two clients that know each other's Node resources."""
    reflector = Apus(lab, AS, cluster="244.0.0.1")
    clients = [Apus(lab, AS) for _ in range(2)]
    members = [reflector, *clients]
    for member in members:
        others = [{"apiVersion": "projectcalico.org/v3", "kind": "Node", "metadata": {"name": other.node}, "spec": {
            "bgp": {"ipv4Address": f"192.168.1.{other.number}/24", **(
                {"routeReflectorClusterID": "244.0.0.1"} if other is reflector else {})}}}
            for other in members if other is not member]
        member.write("others.yaml", "---\n".join(json.dumps(other) + "\n" for other in others))
        for peer in clients if member is reflector else [reflector]:
            add_peer(member, peer)
    for client in clients:
        lab.ip(client.namespace, "address", "add", f"10.244.{client.number}.1/32", "dev", "lo")
    return reflector, clients


def marked(client, prefix):
    """Whether the client's route to a prefix is stale and says so."""
    rows = [row for row in client.ctl("bgp", "routes").get("items", []) if row["prefix"] == prefix]
    return bool(rows) and "s" in rows[0]["flags"] and "65535:6" in rows[0]["communities"]


def run(lab, results):
    """The whole sequence."""
    reflector, (one, two) = cluster(lab)
    for member in (reflector, one, two):
        member.start()

    def whole():
        return kernel_ways(lab, one.namespace, block(two)) == {f"192.168.1.{two.number}"} and kernel_ways(
            lab, two.namespace, block(one)) == {f"192.168.1.{one.number}"}

    check("the clients reach each other through the reflector's routes", eventually(40, whole), results)
    log = os.path.join(lab.directory, "ping.log")
    ping = lab.spawn(one.namespace, [
        "ping", "-n", "-i", "0.02", "-I", f"10.244.{one.number}.1", f"10.244.{two.number}.1"], log)
    reflector.kill()
    time.sleep(RESTART_SECONDS)
    check("after the restart time the routes are marked", eventually(
        5, lambda: marked(one, block(two)) and marked(two, block(one))), results)
    check("the routes are in the kernel", whole(), results)
    check("bgp why says that the route is kept", "kept from a lost session" in str(
        one.ctl("bgp", "why", block(two))), results)
    loads = one.log().count("configuration in force")
    add_peer(one, reflector, holdTime="30s")
    check("other settings of the reflector are in force", eventually(
        10, lambda: one.log().count("configuration in force") > loads), results)
    check("and its routes stay beyond another restart time", not eventually(
        RESTART_SECONDS + 2, lambda: not (marked(one, block(two)) and whole())), results)
    shutil.rmtree(os.path.join(reflector.directory, "run"))
    shutil.rmtree(os.path.join(reflector.directory, "state"))
    reflector.start()
    check("the reflector is back with empty hands: the mark goes", eventually(40, lambda: not marked(
        one, block(two)) and not marked(two, block(one)) and one.route(block(two)) and two.route(block(one))), results)
    check("the routes are in the kernel still", whole(), results)
    no_packet_lost(lab, ping, log, results)
    return reflector, (one, two)


def cut_off(lab, reflector, clients, results):
    """The reflector's link is down until it has dropped what the clients said, and they keep what it said."""
    one, two = clients
    members = [reflector, one, two]

    def knows_any():
        rows = reflector.ctl("bgp", "routes").get("items", [])
        return any(row["prefix"] in (block(one), block(two)) for row in rows)

    loads = [member.log().count("configuration in force") for member in members]
    for client in clients:
        add_peer(client, reflector, holdTime="3s")
        add_peer(reflector, client, holdTime="3s")
    log = os.path.join(lab.directory, "cut.log")
    check("other hold times are in force", eventually(20, lambda: all(
        member.log().count("configuration in force") > before for member, before in zip(members, loads))), results)
    time.sleep(3)
    check("the sessions are up", eventually(20, lambda: all(
        reflector.up(f"192.168.1.{client.number}") for client in clients)), results)
    ping = lab.spawn(one.namespace, [
        "ping", "-n", "-i", "0.02", "-I", f"10.244.{one.number}.1", f"10.244.{two.number}.1"], log)
    lab.ip(lab.switch, "link", "set", f"v{reflector.number}", "down")
    check("the reflector without a link drops the clients' routes", eventually(20, lambda: not knows_any()), results)
    check("the clients keep them", eventually(10, lambda: marked(one, block(two)) and marked(two, block(one))), results)
    # Dials without an answer come ever more rarely: each client would come at a moment of its own.
    time.sleep(8)
    lab.ip(lab.switch, "link", "set", f"v{reflector.number}", "up")
    check("the link is back: the mark goes", eventually(60, lambda: not marked(
        one, block(two)) and not marked(two, block(one)) and one.route(block(two)) and two.route(block(one))), results)
    check("the reflector has waited for all clients", eventually(10, lambda: any(
        "every established peer" in line for line in reflector.log().splitlines() if "clients heard again" in line)),
          results)
    no_packet_lost(lab, ping, log, results)


def no_packet_lost(lab, ping, log, results):
    """Ends a ping, which has had every answer."""
    lab.kill(ping, signal.SIGINT)
    with open(log, encoding="utf-8") as file:
        lost = re.search(r"(\d+) packets transmitted, (\d+) received", file.read())
    sent, back = (int(number) for number in lost.groups()) if lost else (0, -1)
    # The last one may be under way when ping ends.
    check(f"no packet was lost: {back} of {sent} came back", sent > 100 and sent - back <= 1, results)


def main():
    """All of it; the exit status says whether anything failed."""
    results = []
    with own_lab("outlive") as lab:
        cut_off(lab, *run(lab, results), results)
    sys.exit(0 if results and all(results) else 1)


main()
