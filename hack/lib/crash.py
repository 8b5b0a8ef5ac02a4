#!/usr/bin/env python3
"""crash.py plugin|daemon|serving PROGRAM RUN-DIRECTORY NODE-NAMESPACE PREFIX …: kills a program at each of its system calls.

A run is recorded under strace first. Then, for each call of each name it made, the same is run again and killed as it
enters that call. After each kill DEL, ADD, GC must leave exactly one pod, and a GC that knows of none nothing.

plugin: the CNI executable's ADD and DEL; two more rounds begin with ADD and with GC instead of DEL.
daemon -- COMMAND…: apusd, started by COMMAND, while it serves a block request, an ADD and a DEL.
serving -- COMMAND…: the same of an ADD and a DEL alone, which it carries out.

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
# Whether and how often these are made depends on how long somebody else takes.
WAITS = {"clock_nanosleep", "ioctl", "wait4", "poll", "ppoll", "epoll_wait", "epoll_pwait", "futex", "timerfd_settime"}
# A call that another run makes fewer times is tried again before it counts as not reached.
TRIES = 3
# Of the calls that are no waits, the share that must be reached.
SHARE = 0.9
# How many runs of the daemon are recorded.
RUNS = 3
# Seconds after which a daemon that answers has done all that its start brings with it.
SETTLED = 3
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
            most[name] = max(most[name], count)
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

    def one_pod(self, where, address):
        """The pod that was added, whole, and nothing beside it."""
        kernel = [one[0] for one in self.plugin.kernel()]
        if kernel != ["link", "neighbour", "route"]:
            self.wrong.append(f"{where}: the node has {self.plugin.kernel()}")
        if self.plugin.pod(POD) != expected_pod(address):
            self.wrong.append(f"{where}: the pod has {self.plugin.pod(POD)}")
        if [one[0] for one in self.plugin.records()] != ["allocated", "attachment"]:
            self.wrong.append(f"{where}: the store has {self.plugin.records()}")

    def deleted(self, where):
        """DEL, ADD, GC: each does what it always does."""
        self.plugin.delete(POD)
        self.nothing(f"{where}, DEL")
        address = self.plugin.add(POD)[0].split("/")[0]
        self.plugin.collect(POD)
        self.one_pod(f"{where}, DEL, ADD, GC", address)
        self.plugin.collect()
        self.nothing(f"{where}, DEL, ADD, GC, GC of all")

    def added(self, where):
        """ADD at once: it takes over what was left. Only a pod that is there already is refused."""
        status, answer = self.plugin.call("ADD", POD)
        if status == 0:
            self.one_pod(f"{where}, ADD", answer["ips"][0]["address"].split("/")[0])
        else:
            states = [one[2] for one in self.plugin.records() if one[0] == "attachment"]
            if states != ["complete"]:
                self.wrong.append(f"{where}, ADD: {answer}, the store has {self.plugin.records()}")
        self.plugin.delete(POD)
        self.nothing(f"{where}, ADD, DEL")

    def collected(self, where):
        """GC at once: it knows of no pod, so nothing stays."""
        self.plugin.collect()
        self.nothing(f"{where}, GC")

    def recover(self, recovery, where):
        """One of the three above; an answer that is an error is what went wrong."""
        try:
            recovery(where)
        except RuntimeError as error:
            self.wrong.append(f"{where}: {error}")


def strace(log, *options):
    return ["strace", "-f", "-qq", "-o", log, *options]


def injection(name, number):
    return ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}")


def kill_points(counts):
    return [(name, number) for name, count in sorted(counts.items()) for number in range(1, count + 1)]


class Tally:
    """How many of the recorded calls the kills reached."""

    def __init__(self, counts):
        self.counts = counts
        self.missed = []

    def kill(self, name, number, attempt):
        """Makes the attempt, which says whether the program was killed, until it was."""
        if not any(attempt() for _ in range(1 if name in WAITS else TRIES)):
            self.missed.append(f"{name} {number}")

    def report(self, what, checker):
        """Prints what was reached; the number of kill points."""
        total = sum(self.counts.values())
        reached = total - len(self.missed)
        missed = f", not reached: {', '.join(self.missed)}" if self.missed else ""
        print(f"{what}: {total} calls of {len(self.counts)} names, killed at {reached}{missed}")
        firm = sum(count for name, count in self.counts.items() if name not in WAITS)
        if sum(one.split()[0] not in WAITS for one in self.missed) > firm * (1 - SHARE):
            checker.wrong.append(f"{what}: only {reached} of {total} kill points were reached")
        return reached


def kill_plugin(plugin, checker, scratch):
    log = f"{scratch}/strace.log"

    def prepare(command):
        if command == "DEL":
            plugin.add(POD)

    total = 0
    for command in ("ADD", "DEL"):
        prepare(command)
        status, answer = plugin.call(command, POD, strace(log))
        if status != 0:
            raise RuntimeError(f"{command} under strace: {answer}\n{plugin.log}")
        counts = calls_of(log)
        checker.recover(checker.deleted, f"{command}, not killed")
        for recovery, after in ((checker.deleted, "DEL"), (checker.added, "ADD"), (checker.collected, "GC")):
            tally = Tally(counts)
            for name, number in kill_points(counts):
                def attempt():
                    prepare(command)
                    plugin.call(command, POD, strace(log, *injection(name, number)))
                    killed = "killed by SIGKILL" in open(log, encoding="utf-8", errors="replace").read()
                    checker.recover(recovery, f"{command} killed at {name} {number}")
                    return killed
                tally.kill(name, number, attempt)
            total += tally.report(f"{command}, then {after}", checker)
    print(f"kill points: {total}")
    if total < 40:
        checker.wrong.append(f"{total} kill points, 40 are the least")


class Daemon:
    """apusd, started and restarted; one at a time."""

    def __init__(self, command, plugin, scratch):
        self.command, self.plugin, self.scratch = command, plugin, scratch
        self.process = None

    def start(self):
        if self.process is not None:
            if not self.is_dead():
                return
            self.process.wait(10)
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
            while time.monotonic() < deadline and not self.is_dead():
                time.sleep(0.005)
        finally:
            self.untrace(tracer)
        return self.is_dead()

    def untrace(self, tracer):
        # strace told to end while its tracee dies waits for the leader before the other threads, which never ends.
        if not self.is_dead():
            tracer.send_signal(signal.SIGTERM)
        try:
            tracer.wait(5)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()

    def is_dead(self):
        """A traced process is a zombie until its tracer has seen it end."""
        if self.process.poll() is not None:
            return True
        return "\nState:\tZ" in open(f"/proc/{self.process.pid}/status", encoding="utf-8").read()

    def is_traced(self):
        if self.is_dead():
            return True
        try:
            threads = os.listdir(f"/proc/{self.process.pid}/task")
            texts = [open(f"/proc/{self.process.pid}/task/{t}/status", encoding="utf-8").read() for t in threads]
        except (FileNotFoundError, ProcessLookupError):
            # A thread has ended meanwhile, or all of them.
            return False
        return all("TracerPid:\t0\n" not in text for text in texts)


def request_block(daemon):
    full = [block["cidr"] for block in daemon.node()["blocks"]]
    daemon.ask({"op": "blockRequest", "family": "ipv4", "mode": "bgp", "full": full})


def check_blocks(daemon, checker, where):
    """Every block that the node remembers to have taken is in node.json, once, soon after the start."""
    def seen():
        blocks = [block["cidr"] for block in daemon.node()["blocks"]]
        claims = json.load(open(f"{daemon.scratch}/state/claims-node1.json", encoding="utf-8"))["blocks"]
        return blocks, claims

    def agree():
        blocks, claims = seen()
        return sorted(blocks) == sorted(claims) and len(set(blocks)) == len(blocks)

    try:
        wait_for(5, "node.json has what the node took", agree)
    except RuntimeError:
        blocks, claims = seen()
        checker.wrong.append(
            f"{where}: node.json only {sorted(set(blocks) - set(claims))}, claims only {sorted(set(claims) - set(blocks))}")


def kill_daemon(plugin, checker, scratch, command, serves):
    daemon = Daemon(command, plugin, scratch)
    works = {
        "block request": (lambda: None, lambda: request_block(daemon)),
        "endpoint add": (lambda: None, lambda: plugin.call("ADD", POD)),
        "link delete": (lambda: plugin.add(POD), lambda: plugin.call("DEL", POD)),
    }
    if serves:
        del works["block request"]
    total = 0
    try:
        for what, (prepare, work) in works.items():
            daemon.start()
            prepare()
            # What a start does after the first answer is not part of the work.
            time.sleep(SETTLED)
            runs = []
            for _ in range(RUNS):
                daemon.traced((), work)
                runs.append(calls_of(f"{scratch}/strace.log"))
                daemon.start()
                checker.recover(checker.deleted, f"{what}, not killed")
                prepare()
            # Which of the threads does what, and how often it waits, differs: what most runs do is what another repeats.
            counts = +collections.Counter({
                name: sorted(run[name] for run in runs)[RUNS // 2] for name in set().union(*runs)})
            daemon.start()
            checker.recover(checker.deleted, f"{what}, prepared")
            tally = Tally(counts)
            for name, number in kill_points(counts):
                def attempt():
                    where = f"apusd killed at {name} {number} of a {what}"
                    daemon.start()
                    prepare()
                    killed = daemon.traced(injection(name, number), work)
                    daemon.start()
                    checker.recover(checker.deleted, where)
                    check_blocks(daemon, checker, where)
                    return killed
                tally.kill(name, number, attempt)
            total += tally.report(what, checker)
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
        kill_daemon(plugin, checker, scratch, rest[1:], serves=what == "serving")
    for line in checker.wrong[:20]:
        print(line)
    if len(checker.wrong) > 20:
        print(f"and {len(checker.wrong) - 20} more")
    return 1 if checker.wrong else 0


sys.exit(main())
