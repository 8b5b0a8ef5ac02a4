#!/usr/bin/env python3
"""Streams that tell of every loss: UDP with sequence numbers, and TCP whose stalls are seen.

stream.py udp-receive PORT            counts until SIGTERM, then prints "received N distinct M gap MS"
stream.py udp-send ADDRESS PORT PPS   sends until SIGTERM, then prints "sent N"
stream.py tcp-receive PORT SECONDS    counts until SIGTERM, then prints "bytes N stalled N longest MS"
stream.py tcp-send ADDRESS PORT       sends full segments until SIGTERM

A gap is the longest time between two datagrams; a stalled interval is one of so many seconds without an octet.
"""
import signal
import socket
import struct
import sys
import time

stopping = False


def stop(*_):
    global stopping
    stopping = True


def udp_receive(port):
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    receiver.bind(("0.0.0.0", port))
    receiver.settimeout(0.1)
    print("ready", flush=True)
    seen, count, last, gap = set(), 0, None, 0.0
    while not stopping:
        try:
            data = receiver.recv(2048)
        except (TimeoutError, InterruptedError):
            continue
        now = time.monotonic()
        if last is not None:
            gap = max(gap, now - last)
        last = now
        count += 1
        seen.add(struct.unpack("!Q", data[:8])[0])
    print(f"received {count} distinct {len(seen)} gap {gap * 1000:.0f}", flush=True)


def udp_send(address, port, rate):
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect((address, port))
    start, number, refused = time.monotonic(), 0, 0
    while not stopping:
        due = start + number / rate
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        try:
            sender.send(struct.pack("!Q", number) + b"\0" * 56)
        except OSError:
            refused += 1
        number += 1
    print(f"sent {number} refused {refused}", flush=True)


def tcp_receive(port, interval):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen(1)
    print("ready", flush=True)
    listener.settimeout(30)
    stream, _ = listener.accept()
    stream.settimeout(0.02)
    total, start = 0, time.monotonic()
    last, longest, stalled = start, 0.0, 0
    interval_end, in_interval = start + interval, 0
    while not stopping:
        try:
            data = stream.recv(1 << 16)
        except (TimeoutError, InterruptedError):
            data = None
        now = time.monotonic()
        while now >= interval_end:
            if not in_interval:
                stalled += 1
            in_interval, interval_end = 0, interval_end + interval
        if data == b"":
            break
        if data:
            total += len(data)
            in_interval += len(data)
            longest, last = max(longest, now - last), now
    print(f"bytes {total} stalled {stalled} longest {longest * 1000:.0f}", flush=True)


def tcp_send(address, port):
    stream = socket.create_connection((address, port))
    stream.settimeout(0.1)
    data = b"\0" * 14000
    while not stopping:
        # Some 50 Mbit/s: full segments all the time, and the processor left to the rest.
        try:
            stream.send(data)
        except TimeoutError:
            continue
        except OSError:
            break
        time.sleep(0.002)


def main():
    signal.signal(signal.SIGTERM, stop)
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb == "udp-receive":
        udp_receive(int(arguments[0]))
    elif verb == "udp-send":
        udp_send(arguments[0], int(arguments[1]), int(arguments[2]))
    elif verb == "tcp-receive":
        tcp_receive(int(arguments[0]), float(arguments[1]))
    elif verb == "tcp-send":
        tcp_send(arguments[0], int(arguments[1]))
    else:
        sys.exit(__doc__)


main()
