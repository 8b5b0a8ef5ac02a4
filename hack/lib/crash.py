#!/usr/bin/env python3
"""crash.py plugin|daemon PROGRAM RUN-DIRECTORY NODE-NAMESPACE PREFIX …: kills a program at each of its system calls.

A run is recorded under strace first. Then, for each call of each name it made, the same is run again and killed as it
enters that call. After each: DEL, ADD and DEL must leave what they always do.

plugin [no-daemon]: the CNI executable's ADD and DEL.
daemon -- COMMAND…: apusd, started by COMMAND, while it serves a block request, an ADD and a DEL.

Prints the kill points of each; exit 1 says what was wrong.
"""
import collections
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import plugin as cni

POD = 0
# strace itself makes the first execve, and what never returns is not entered twice.
SKIPPED = {"execve", "exit", "restart_syscall", "rt_sigreturn"}
# How often these are made depends on how long somebody else takes: the first few stand for all.
WAITS = {"clock_nanosleep", "ioctl", "wait4", "poll", "ppoll", "epoll_wait", "epoll_pwait", "futex", "timerfd_settime"}
MOST_WAITS = 6
CALL = re.compile(r"^(\d+)\s+(?:\d+\.\d+\s+)?(\w+)\(")


def calls_of(log):
    """{name: the most calls of it that one thread made} of an strace log; strace counts per thread."""
    threads = collections.defaultdict(collections.Counter)
    for line in open(log, encoding="utf-8", errors="replace"):
        found = CALL.match(line)
        if found and found.group(2) not in SKIPPED:
            threads[found.group(1)][found.group(2)] += 1
    most = collections.Counter()
    for counts in threads.values():
        for name, count in counts.items():
            most[name] = max(most[name], min(count, MOST_WAITS) if name in WAITS else count)
    return most


def wait_for(seconds, what, condition):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    raise RuntimeError(f"not within {seconds} s: {what}")


def expected_pod(address):
    return sorted([("link", "eth0"), ("address", address), ("route", "default"), ("route", "169.254.1.1")])


class Checker:
    """What must be true after a kill, whatever was killed."""

    def __init__(self, plugin):
        self.plugin = plugin
        self.wrong = []

    def nothing(self, where):
        # A detached process may still be at work on the link of a DEL that was killed.
        def is_clean():
            return not (self.plugin.records() + self.plugin.kernel() + self.plugin.pod(POD))
        try:
            wait_for(3, "nothing left", is_clean)
        except RuntimeError:
            left = self.plugin.records() + self.plugin.kernel() + self.plugin.pod(POD)
            self.wrong.append(f"{where}: left: {left}")

    def recovery(self, where):
        """DEL, ADD, DEL: each does what it always does."""
        try:
            self.plugin.delete(POD)
            self.nothing(f"{where}, DEL")
            address = self.plugin.add(POD)[0].split("/")[0]
            kernel = [one[0] for one in self.plugin.kernel()]
            if kernel != ["link", "neighbour", "route"]:
                self.wrong.append(f"{where}, DEL, ADD: the node has {self.plugin.kernel()}")
            if self.plugin.pod(POD) != expected_pod(address):
                self.wrong.append(f"{where}, DEL, ADD: the pod has {self.plugin.pod(POD)}")
            if [one[0] for one in self.plugin.records()] != ["allocated", "attachment"]:
                self.wrong.append(f"{where}, DEL, ADD: the store has {self.plugin.records()}")
            self.plugin.delete(POD)
            self.nothing(f"{where}, DEL, ADD, DEL")
        except RuntimeError as error:
            self.wrong.append(f"{where}: {error}")


def strace(log, *options):
    return ["strace", "-f", "-qq", "-o", log, *options]


def injection(name, number):
    return ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}")


def kill_plugin(plugin, checker, scratch):
    total = 0
    for command in ("ADD", "DEL"):
        log = f"{scratch}/strace.log"
        if command == "DEL":
            plugin.add(POD)
        status, answer = plugin.call(command, POD, strace(log))
        if status != 0:
            raise RuntimeError(f"{command} under strace: {answer}\n{plugin.log}")
        counts = calls_of(log)
        checker.recovery(f"{command}, not killed")
        killed = 0
        for name, count in sorted(counts.items()):
            for number in range(1, count + 1):
                if command == "DEL":
                    plugin.add(POD)
                status, _ = plugin.call(command, POD, strace(log, *injection(name, number)))
                killed += "killed by SIGKILL" in open(log, encoding="utf-8", errors="replace").read()
                checker.recovery(f"{command} killed at {name} {number}")
        print(f"{command}: {sum(counts.values())} calls of {len(counts)} names, killed {killed} times")
        total += killed
        if killed < sum(counts.values()) * 9 // 10:
            checker.wrong.append(f"{command}: only {killed} of {sum(counts.values())} kill points were reached")
    print(f"kill points: {total}")
    if total < 40:
        checker.wrong.append(f"{total} kill points, 40 are the least")


class Daemon:
    """apusd, started and restarted; one at a time."""

    def __init__(self, command, plugin, scratch):
        self.command, self.plugin, self.scratch = command, plugin, scratch
        self.process = None

    def start(self):
        if self.process is not None and self.process.poll() is None:
            return
        log = open(f"{self.scratch}/apusd-crash.log", "ab")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(30, "apusd serves", self.is_ready)

    def is_ready(self):
        try:
            return "blocks" in self.node() and bool(self.node()["blocks"]) and self.ask({"op": "status"}) is not None
        except (OSError, ValueError):
            return False

    def node(self):
        return json.load(open(f"{self.plugin.run_directory}/node.json", encoding="utf-8"))

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def ask(self, request):
        """One request over the socket; None when the daemon ends before it answers."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(15)
            client.connect(f"{self.plugin.run_directory}/apusd.sock")
            boot = open("/proc/sys/kernel/random/boot_id", encoding="utf-8").read().strip()
            inode = os.stat("/proc/thread-self/ns/net").st_ino
            hello = {"v": 1, "node": "", "bootID": boot, "netns": inode}
            for message in (hello, {"id": 1, **request}):
                text = json.dumps(message).encode()
                client.sendall(struct.pack(">I", len(text)) + text)
            answers = []
            received = b""
            while len(answers) < 2:
                try:
                    chunk = client.recv(65536)
                except OSError:
                    return None
                if not chunk:
                    return None
                received += chunk
                while len(received) >= 4 and len(received) - 4 >= struct.unpack(">I", received[:4])[0]:
                    length = struct.unpack(">I", received[:4])[0]
                    answers.append(json.loads(received[4:4 + length]))
                    received = received[4 + length:]
            return answers[1]

    def traced(self, options, work):
        """Does the work with strace attached; True if the daemon was killed."""
        log = f"{self.scratch}/strace.log"
        tracer = subprocess.Popen(
            [*strace(log, *options), "-p", str(self.process.pid)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(10, "strace is attached to every thread", self.is_traced)
            try:
                work()
            except OSError:
                # Killed before it took the connection.
                pass
            # The end of the work is not the end of what the daemon does about it.
            deadline = time.monotonic() + 0.1
            while time.monotonic() < deadline and self.process.poll() is None:
                time.sleep(0.005)
        finally:
            tracer.send_signal(signal.SIGTERM)
            tracer.wait(20)
        return self.process.poll() is not None

    def is_traced(self):
        if self.process.poll() is not None:
            return True
        threads = os.listdir(f"/proc/{self.process.pid}/task")
        texts = [open(f"/proc/{self.process.pid}/task/{t}/status", encoding="utf-8").read() for t in threads]
        return all("TracerPid:\t0\n" not in text for text in texts)


def request_block(daemon):
    full = [block["cidr"] for block in daemon.node()["blocks"]]
    daemon.ask({"op": "blockRequest", "family": "ipv4", "mode": "bgp", "full": full})


def check_blocks(daemon, checker, where):
    """Every block that the node remembers to have taken is in node.json, once."""
    blocks = [block["cidr"] for block in daemon.node()["blocks"]]
    claims = json.load(open(f"{daemon.scratch}/state/claims-node1.json", encoding="utf-8"))["blocks"]
    if len(set(blocks)) != len(blocks) or sorted(claims) != sorted(blocks):
        checker.wrong.append(f"{where}: node.json has {blocks}, the node has taken {claims}")


def kill_daemon(plugin, checker, scratch, command):
    daemon = Daemon(command, plugin, scratch)
    works = {
        "block request": (lambda: None, lambda: request_block(daemon)),
        "endpoint add": (lambda: None, lambda: plugin.call("ADD", POD)),
        "link delete": (lambda: plugin.add(POD), lambda: plugin.call("DEL", POD)),
    }
    total = 0
    try:
        for what, (prepare, work) in works.items():
            daemon.start()
            prepare()
            daemon.traced((), work)
            counts = calls_of(f"{scratch}/strace.log")
            daemon.start()
            checker.recovery(f"{what}, not killed")
            killed = 0
            for name, count in sorted(counts.items()):
                for number in range(1, count + 1):
                    daemon.start()
                    prepare()
                    where = f"apusd killed at {name} {number} of a {what}"
                    if daemon.traced(injection(name, number), work):
                        killed += 1
                    daemon.start()
                    checker.recovery(where)
                    check_blocks(daemon, checker, where)
            print(f"{what}: {len(counts)} names of calls, killed {killed} times")
            total += killed
            if killed < 5:
                checker.wrong.append(f"{what}: killed {killed} times only")
    finally:
        daemon.stop()
    print(f"kill points of apusd: {total}")


def main():
    what, program, directory, namespace, prefix, scratch, *rest = sys.argv[1:]
    cni.enter(namespace)
    plugin = cni.Plugin(program, directory, prefix)
    checker = Checker(plugin)
    if what == "plugin":
        kill_plugin(plugin, checker, scratch)
    else:
        kill_daemon(plugin, checker, scratch, rest[1:])
    for line in checker.wrong[:20]:
        print(line)
    if len(checker.wrong) > 20:
        print(f"and {len(checker.wrong) - 20} more")
    return 1 if checker.wrong else 0


sys.exit(main())
