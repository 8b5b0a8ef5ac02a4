"""Calls the plugin from the namespace of a node, as a runtime does, and reads what it leaves behind.

Imported by the suites of hack/test.d that call it thousands of times: a shell would be slower than what it measures.
"""
import ctypes
import glob
import json
import os
import subprocess
import tempfile
import threading

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(path):
    """Moves this thread, and those it starts, into a network namespace."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns", path)
    os.close(descriptor)


def run(*words):
    """The output of a command; an error is an exception that shows it."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


class Plugin:
    """The executable with one run directory; pods are numbers, each with a namespace `<prefix>p<number>`."""

    def __init__(self, program, run_directory, prefix, network="direct", **config):
        self.program = program
        self.run_directory = run_directory
        self.prefix = prefix
        self.config = json.dumps({
            "cniVersion": "1.1.0", "name": network, "type": "apus", "runDir": run_directory, "logLevel": "warning",
            **config})

    def environment(self, command, pod):
        return {
            "CNI_COMMAND": command, "CNI_CONTAINERID": f"pod{pod}", "CNI_IFNAME": "eth0", "CNI_PATH": "/nowhere",
            "CNI_NETNS": f"/run/netns/{self.prefix}p{pod}"}

    def call(self, command, pod, wrapper=(), **config):
        """(status, answer); the status is negative when a signal ended the call. stderr is kept in `log`."""
        text = json.dumps({**json.loads(self.config), **config}) if config else self.config
        with tempfile.TemporaryFile() as log:
            done = subprocess.run(
                [*wrapper, self.program], input=text.encode(), stdout=subprocess.PIPE, stderr=log, check=False,
                env=self.environment(command, pod), timeout=60)
            log.seek(0)
            self.log = log.read().decode(errors="replace")
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None

    def add(self, pod):
        status, answer = self.call("ADD", pod)
        if status != 0:
            raise RuntimeError(f"ADD of pod{pod}: {answer}\n{self.log}")
        return [ip["address"] for ip in answer["ips"]]

    def delete(self, pod):
        status, answer = self.call("DEL", pod)
        if status != 0:
            raise RuntimeError(f"DEL of pod{pod}: {answer}\n{self.log}")

    def collect(self, *pods):
        """GC: what is not one of these goes."""
        valid = [{"containerID": f"pod{pod}", "ifname": "eth0"} for pod in pods]
        status, answer = self.call("GC", 0, **{"cni.dev/valid-attachments": valid})
        if status != 0:
            raise RuntimeError(f"GC but for {pods}: {answer}\n{self.log}")

    def records(self):
        """What the store says: attachments, and allocated ordinals of every block."""
        found = []
        for path in glob.glob(f"{self.run_directory}/attachments/*.json"):
            record = json.load(open(path, encoding="utf-8"))
            found.append(("attachment", record["containerID"], record["state"], tuple(record["addresses"])))
        for path in glob.glob(f"{self.run_directory}/blocks/*.json"):
            block = json.load(open(path, encoding="utf-8"))
            found += [("allocated", block["cidr"], key, owner["containerID"])
                      for key, owner in block["allocated"].items()]
        return sorted(found)

    def kernel(self):
        """What the node's kernel says: pods' links, Apus' routes to pods, permanent neighbours."""
        links = [link["ifname"] for link in json.loads(run("ip", "-j", "link", "show") or "[]")]
        found = [("link", name) for name in links if name.startswith("cali")]
        for family in ("-4", "-6"):
            routes = json.loads(run("ip", family, "-j", "route", "show", "proto", "97") or "[]")
            found += [("route", r["dst"], r["dev"]) for r in routes if r.get("dev", "").startswith("cali")]
        neighbours = json.loads(run("ip", "-j", "neighbour", "show", "nud", "permanent") or "[]")
        found += [("neighbour", n["dst"], n["dev"]) for n in neighbours if n["dev"].startswith("cali")]
        return sorted(found)

    def pod(self, pod):
        """What the pod's kernel says beside its loopback."""
        namespace = f"{self.prefix}p{pod}"
        links = json.loads(run("ip", "-n", namespace, "-j", "address", "show") or "[]")
        found = [("link", link["ifname"]) for link in links if link["ifname"] != "lo"]
        found += [("address", a["local"]) for link in links if link["ifname"] == "eth0"
                  for a in link["addr_info"] if a["scope"] == "global"]
        routes = json.loads(run("ip", "-n", namespace, "-j", "route", "show") or "[]")
        return sorted(found + [("route", r["dst"]) for r in routes])


class Churn:
    """Adds and deletes pods from many threads, one call at a time for each pod, and knows which address is whose."""

    def __init__(self, plugin, pods):
        self.wrong, self.counts = [], {"ADD": 0, "DEL": 0}
        self._plugin, self._local = plugin, threading.local()
        self._lock, self._owner = threading.Lock(), {}
        self._busy = [threading.Lock() for _ in range(pods)]

    def add(self, pod):
        with self._busy[pod]:
            addresses = self._own_plugin().add(pod)
            with self._lock:
                self.counts["ADD"] += 1
                for address in addresses:
                    if address in self._owner:
                        self.wrong.append(f"{address} is pod{self._owner[address]}'s and was given to pod{pod}")
                    self._owner[address] = pod

    def delete(self, pod):
        with self._busy[pod]:
            # From here on the address may be another's: it is struck off before the call.
            with self._lock:
                self.counts["DEL"] += 1
                for address in [a for a, p in self._owner.items() if p == pod]:
                    del self._owner[address]
            self._own_plugin().delete(pod)

    def _own_plugin(self):
        """A thread's own, for it keeps the log of its last call."""
        if not hasattr(self._local, "plugin"):
            theirs = self._plugin
            self._local.plugin = Plugin(theirs.program, theirs.run_directory, theirs.prefix)
        return self._local.plugin
