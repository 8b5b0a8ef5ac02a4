"""Two network namespaces joined by a veth: one holds the speaker, the other all its peers (bgpload)."""
import glob
import importlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from types import SimpleNamespace

SPEAKER, AS, PORT = "10.99.0.1", 64512, 179
HZ = os.sysconf("SC_CLK_TCK")


def sh(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)


def adapter(name):
    return importlib.import_module("adapters." + name)


def tree(roots):
    """Processes and all their descendants."""
    children, found, left = {}, [], list(roots)
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            parent = int(open(path).read().rsplit(")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(path.split("/")[2]))
        except OSError:
            pass
    while left:
        process = left.pop()
        found.append(process)
        left += children.get(process, [])
    return found


def cpu(processes):
    """CPU seconds by the processes' own clocks, ended threads included."""
    total = 0.0
    for process in processes:
        try:
            total += time.clock_gettime((~process << 3) | 2)
        except OSError:
            pass
    return total


def memory(processes, key):
    total = 0
    for process in processes:
        try:
            with open(f"/proc/{process}/status") as file:
                total += next((int(line.split()[1]) for line in file if line.startswith(key)), 0)
        except OSError:
            pass
    return total * 1024


def busy():
    with open("/proc/stat") as file:
        fields = file.readline().split()[1:9]
    return sum(int(field) for place, field in enumerate(fields) if place not in (3, 4)) / HZ


class Child:
    """A program of the bench: commands in, JSON lines out."""

    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.buffer, self.events = b"", []

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")

    def wait(self, *names, timeout=30):
        end = time.monotonic() + timeout
        while True:
            for place, event in enumerate(self.events):
                if event["ev"] in names:
                    return self.events.pop(place)
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise RuntimeError("a program of the bench has ended")
            *lines, self.buffer = (self.buffer + data).split(b"\n")
            self.events += [json.loads(line) for line in lines if line]

    def ask(self, command, name="check", timeout=60):
        self.say(command)
        return self.wait(name, timeout=timeout)


class Lab:
    """`groups` are the peers: (first address, count, AS, roles, first key, keys each, hold time, options)."""

    def __init__(self, speaker, universe, count, groups, fib=False, gr=False, flags="-", rr=False, variant=""):
        self.adapter, self.speaker = adapter(speaker), speaker
        self.universe, self.count, self.groups, self.flags = universe, count, groups, flags
        self.dir = tempfile.mkdtemp(prefix="bgpbench-")
        os.chmod(self.dir, 0o777)
        self.tools = os.environ["BENCH_TOOLS"]
        self.speaker_ns, self.peers_ns = f"bbD{os.getpid()}", f"bbG{os.getpid()}"
        self.processes, self.peers, self.fib = [], None, None
        peers = [self.peer(group, place, rr) for group in groups for place in range(group[1])]
        self.setup = SimpleNamespace(
            dir=self.dir, ip=SPEAKER, port=PORT, asn=AS, rid=SPEAKER, peers=peers, fib=fib, gr=gr, variant=variant,
            restarted=False)
        d, g = self.speaker_ns, self.peers_ns
        for name in (d, g):
            sh(f"ip netns add {name}; ip -n {name} link set lo up")
        sh(f"ip link add bb0 netns {d} type veth peer name bb0 netns {g}; ip -n {d} addr add {SPEAKER}/16 dev bb0;"
           f"ip -n {g} addr add 10.99.0.2/16 dev bb0; ip -n {d} link set bb0 up; ip -n {g} link set bb0 up;"
           f"ip -n {g} route add local 10.99.128.0/17 dev bb0")
        if fib:
            self.fib = Child(["ip", "netns", "exec", d, f"{self.tools}/fibmon", universe, str(count)])
            assert self.fib.wait("start")

    @staticmethod
    def peer(group, place, rr):
        address, _, asn, _, _, _, hold, options = group
        octets = [int(text) for text in address.split(".")]
        number = (octets[2] << 8) + octets[3] + place
        return SimpleNamespace(
            ip=f"{octets[0]}.{octets[1]}.{number >> 8}.{number & 255}", asn=asn, ibgp=asn == AS,
            client=rr and asn == AS, hold=hold, bfd="b" in options)

    def start_speaker(self):
        files, commands = self.adapter.setup(self.setup)
        for name, text in files.items():
            with open(f"{self.dir}/{name}", "w") as file:
                file.write(text)
            os.chmod(f"{self.dir}/{name}", 0o600 if self.speaker == "openbgpd" else 0o644)
        with open(f"{self.dir}/stdout.log", "ab") as log:
            self.started = time.monotonic()
            for place, command in enumerate(commands):
                if place:
                    time.sleep(0.2)  # the first of several must be there before the next
                self.processes.append(subprocess.Popen(
                    ["ip", "netns", "exec", self.speaker_ns] + command, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, cwd=self.dir))

    def start_peers(self, timeout=90, settle=None):
        groups = [",".join(map(str, g[:7])) + ("," + g[7] if g[7] else "") for g in self.groups]
        self.peers = Child(
            ["ip", "netns", "exec", self.peers_ns, f"{self.tools}/bgpload", SPEAKER, str(PORT), str(AS),
             self.universe, str(self.count), self.flags] + groups)
        ready, end = None, time.monotonic() + timeout
        while not ready and time.monotonic() < end and all(p.poll() is None for p in self.processes):
            ready = self.peers.wait("ready", timeout=0.5)
        if not ready:
            with open(f"{self.dir}/stdout.log") as log:
                raise RuntimeError(f"{self.speaker}: sessions not established: {log.read()[-200:]}")
        self.established = ready["estab_s"]
        wait = getattr(self.adapter, "SETTLE", lambda peers: 1.0)
        time.sleep(wait(len(self.setup.peers)) if settle is None else settle)

    def pids(self):
        return tree([process.pid for process in self.processes])

    def kill_speaker(self):
        for process in self.pids():
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                pass
        for process in self.processes:
            process.wait()
        self.processes = []

    def mark(self):
        pids = self.pids()
        self.marked = (time.monotonic(), cpu(pids), cpu([self.peers.process.pid]), busy(), memory(pids, "VmRSS"))

    def usage(self):
        pids = self.pids()
        at, own, load, everybody, rss = self.marked
        elapsed = time.monotonic() - at
        own, load = cpu(pids) - own, cpu([self.peers.process.pid]) - load
        return dict(
            cpu_s=own, gen_cpu_s=load, rss_peak=memory(pids, "VmHWM"), rss_delta=memory(pids, "VmRSS") - rss,
            noise=max(0, (busy() - everybody - own - load) / max(elapsed, 1e-3)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for child in (self.peers, self.fib):
            if child:
                child.process.kill()
                child.process.wait()
        self.kill_speaker()
        for name in (self.speaker_ns, self.peers_ns):
            sh(f"ip netns del {name}")
        if not error[0]:
            shutil.rmtree(self.dir, ignore_errors=True)
