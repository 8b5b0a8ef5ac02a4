"""Network namespaces on one bridge, processes ended by their id, and apusd in one of them."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DIST = os.path.join(TOP, "dist")


def eventually(seconds, condition):
    """The condition's first true answer, or the last one when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() >= deadline:
            return answer
        time.sleep(0.05)


@contextlib.contextmanager
def own_lab(name):
    """A Lab in a directory of its own; both are removed at the end, unless INTEROP_KEEP keeps the directory."""
    run = os.urandom(2).hex()
    directory = tempfile.mkdtemp(prefix=f"apus-{run}-")
    os.chmod(directory, 0o755)
    try:
        with contextlib.closing(Lab(f"{run}-{name}", directory)) as lab:
            yield lab
    finally:
        if not os.environ.get("INTEROP_KEEP"):
            shutil.rmtree(directory)


class Lab:
    """A segment of its own: member N has 192.168.1.N and fd00:1::N. Everything made is named for the run."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)
        os.chmod(self.directory, 0o755)
        self.processes = []
        self.namespaces = []
        self.members = 0
        self.switch = self._namespace("sw")
        self.ip(self.switch, "link", "add", "br0", "type", "bridge")
        self.ip(self.switch, "link", "set", "br0", "up")

    def _namespace(self, name):
        full = f"apus-{self.name}-{name}"
        subprocess.run(["ip", "netns", "add", full], check=True)
        self.namespaces.append(full)
        self.ip(full, "link", "set", "lo", "up")
        return full

    @staticmethod
    def ip(namespace, *words):
        """Runs `ip` within a namespace."""
        subprocess.run(["ip", "-n", namespace, *words], check=True)

    def join(self):
        """Adds a member; answers its number and its namespace."""
        self.members += 1
        number = self.members
        namespace = self._namespace(f"m{number}")
        self.ip(self.switch, "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", namespace)
        self.ip(self.switch, "link", "set", f"v{number}", "master", "br0", "up")
        self.ip(namespace, "address", "add", f"192.168.1.{number}/24", "dev", "eth0")
        self.ip(namespace, "address", "add", f"fd00:1::{number}/64", "dev", "eth0", "nodad")
        self.ip(namespace, "link", "set", "eth0", "up")
        return number, namespace

    def spawn(self, namespace, argv, log):
        """Starts a process in a namespace; its id stays the command's own."""
        with open(log, "ab") as out:
            process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{namespace}", "--", *argv],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.processes.append(process)
        return process

    def run(self, namespace, argv, timeout=10):
        """A command's output, or nothing when it failed."""
        try:
            done = subprocess.run(
                ["nsenter", f"--net=/run/netns/{namespace}", "--", *argv],
                capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout if done.returncode == 0 else ""

    def kill(self, process, how=signal.SIGKILL):
        """Ends a process and its session's other processes: some speakers are several."""
        for pid in session_members(process.pid):
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def close(self):
        """Last in, first out."""
        for process in reversed(list(self.processes)):
            self.kill(process)
        for namespace in reversed(self.namespaces):
            subprocess.run(["ip", "netns", "del", namespace], check=False)


def session_members(leader):
    """The processes of the session that `spawn` has made."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(name))
    return found


class Apus:
    """apusd on a member: what the resources say of it, and what apusctl shows."""

    RESOURCES = """\
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {{name: default}}
spec: {{asNumber: {asn}, nodeToNodeMeshEnabled: false}}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {{name: four}}
spec: {{cidr: 10.244.0.0/16, blockSize: 26, ipipMode: Never, vxlanMode: Never}}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {{name: six}}
spec: {{cidr: "fd00:244::/48", blockSize: 122, ipipMode: Never, vxlanMode: Never}}
---
apiVersion: projectcalico.org/v3
kind: Node
metadata: {{name: {node}}}
spec: {{bgp: {{ipv4Address: 192.168.1.{number}/24, ipv6Address: "fd00:1::{number}/64"{cluster}}}}}
---
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata: {{name: four}}
spec: {{cidr: 10.244.{number}.0/26, node: {node}, state: confirmed}}
---
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata: {{name: six}}
spec: {{cidr: "fd00:244:0:{number}::/122", node: {node}, state: confirmed}}
"""

    def __init__(self, lab, asn, cluster=None):
        self.lab = lab
        self.asn = asn
        self.number, self.namespace = lab.join()
        self.node = f"node{self.number}"
        self.directory = os.path.join(lab.directory, self.node)
        self.resources = os.path.join(self.directory, "resources")
        os.makedirs(self.resources)
        self.process = None
        cluster_field = f", routeReflectorClusterID: {cluster}" if cluster else ""
        self.write("node.yaml", self.RESOURCES.format(
            asn=asn, node=self.node, number=self.number, cluster=cluster_field))

    def write(self, name, text):
        """Puts a file of resources in place in one step."""
        path = os.path.join(self.resources, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def secret(self, name, text):
        """Writes the password file secrets/NAME/password."""
        directory = os.path.join(self.resources, "secrets", name)
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, "password")
        with open(os.open(path + ".new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.rename(path + ".new", path)

    def add_peer(self, name, address, asn, **fields):
        """Writes a BGPPeer; `fields` are further members of its spec."""
        spec = {"peerIP": address, "asNumber": asn, **fields}
        resource = {
            "apiVersion": "projectcalico.org/v3", "kind": "BGPPeer", "metadata": {"name": name}, "spec": spec}
        self.write(f"peer-{name}.yaml", json.dumps(resource))

    def start(self):
        """Starts the daemon, for the first time or again."""
        self.process = self.lab.spawn(self.namespace, [
            os.path.join(DIST, "apusd"), "--node", self.node, "--config", self.resources,
            "--run-dir", os.path.join(self.directory, "run"), "--state-dir", os.path.join(self.directory, "state"),
        ], os.path.join(self.directory, "apusd.log"))

    def kill(self):
        """Ends the daemon as a crash would."""
        self.lab.kill(self.process)

    def ctl(self, *words):
        """What apusctl says, as JSON; an empty object while it says nothing."""
        text = self.lab.run(self.namespace, [
            os.path.join(DIST, "apusctl"), "--run-dir", os.path.join(self.directory, "run"), *words, "-o", "json"])
        return json.loads(text) if text else {}

    def up(self, address):
        """Whether the session with this peer is established."""
        return any(
            peer["address"].split(" ")[0] == address and peer["state"] == "up"
            for peer in self.ctl("node", "status").get("peers", []))

    def route(self, prefix):
        """The chosen route to a prefix; None without one."""
        rows = [row for row in self.ctl("get", "routes").get("items", []) if row["prefix"] == prefix]
        return rows[0] if rows else None

    def log(self):
        """The log so far."""
        with open(os.path.join(self.directory, "apusd.log"), encoding="utf-8", errors="replace") as file:
            return file.read()
