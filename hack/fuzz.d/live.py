#!/usr/bin/env python3
"""live.py INPUTS SEED: mutated messages to a running daemon, on an internal and an external session in turn.

Behind each input stands a ROUTE-REFRESH; the routes that come back show that the input has been read. An input that ends
the session is followed by a new session, which must come up. The last line is what happened, as JSON; exit 1 when the
daemon stopped answering.
"""
import collections
import json
import os
import random
import sys
import time

import bgp_peer
import seeds

REFRESH = bgp_peer.message(bgp_peer.ROUTE_REFRESH, bytes([0, 1, 0, 1]))


def changed(octets, random_source):
    """The octets, changed in a few places."""
    body = bytearray(octets)
    for _ in range(random_source.randint(1, 4)):
        place = random_source.randrange(len(body) + 1)
        choice = random_source.randrange(6)
        if choice == 0 and place < len(body):
            body[place] ^= 1 << random_source.randrange(8)
        elif choice == 1 and place < len(body):
            body[place] = random_source.randrange(256)
        elif choice == 2:
            body[place:place] = random_source.randbytes(random_source.randint(1, 8))
        elif choice == 3:
            del body[place : place + random_source.randint(1, 8)]
        elif choice == 4:
            body[place:place] = body[place : place + random_source.randint(1, 40)]
        elif place < len(body):
            body[place] = random_source.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
    return bytes(body[:4000])


def mutated(seed, random_source):
    """A changed frame with its length right; its type is sometimes another. Of UPDATEs most have one field changed and
    the lengths inside right too, because a wrong one hides everything behind it."""
    kind = seed[18] if random_source.random() < 0.98 else random_source.randrange(256)
    body = seed[19:]
    if seed[18] == bgp_peer.UPDATE and random_source.random() < 0.8:
        withdrawn = int.from_bytes(body[:2], "big")
        attributes = int.from_bytes(body[2 + withdrawn : 4 + withdrawn], "big")
        fields = [body[2 : 2 + withdrawn], body[4 + withdrawn : 4 + withdrawn + attributes],
                  body[4 + withdrawn + attributes :]]
        place = random_source.choice((0, 1, 1, 1, 1, 2))
        fields[place] = changed(fields[place], random_source)
        body = b"".join((len(fields[0]).to_bytes(2, "big"), fields[0], len(fields[1]).to_bytes(2, "big"), *fields[1:]))
        return bgp_peer.message(kind, body[:4077])
    return bgp_peer.message(kind, changed(body, random_source))


def is_read(session):
    """Whether what was sent before has been read: the answer to a refresh has come."""
    session.send(REFRESH)
    deadline = time.monotonic() + 5
    while True:
        kind, _ = session.receive(deadline - time.monotonic())
        if kind == bgp_peer.UPDATE:
            return True
        if kind is None:
            return False


def main():
    """Sends the inputs and says how it went."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    random_source = random.Random(seed)
    frames = sorted({seed[1:] for seed in seeds.seeds()})
    peers = [os.environ[name].split() for name in ("INTERNAL_PEER", "EXTERNAL_PEER")]
    sessions = [None, None]
    seen = collections.Counter()
    for number in range(count):
        side = number % 2
        namespace, address, asn = peers[side]
        frame = mutated(random_source.choice(frames), random_source)
        try:
            if sessions[side] is None:
                sessions[side] = bgp_peer.established(namespace, address, os.environ["SPEAKER"], int(asn))
                seen["sessions"] += 1
            sessions[side].drain()
            sessions[side].send(frame)
            if not is_read(sessions[side]):
                print(f"input {number} of seed {seed}: no answer: {frame.hex()}", file=sys.stderr)
                sys.exit(1)
            seen["survived"] += 1
        except bgp_peer.Ended as ended:
            seen["notification %d/%d" % ended.notification if ended.notification else "closed"] += 1
            sessions[side].close()
            sessions[side] = None
        except TimeoutError as error:
            print(f"input {number} of seed {seed}: {error}", file=sys.stderr)
            sys.exit(1)
    for session in filter(None, sessions):
        session.close()
    for namespace, address, asn in peers:
        bgp_peer.established(namespace, address, os.environ["SPEAKER"], int(asn)).close()
    print(json.dumps({"inputs": count, "seed": seed, **dict(sorted(seen.items()))}))


if __name__ == "__main__":
    main()
