"""The world of one test: a host and pods, each a network namespace, private to a process that ends with the test."""
import ctypes
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x1000, 0x4000, 0x40000, 2
# No call of a plugin may last longer.
DEADLINE = 20
VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]


def system_call(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags):
    system_call(LIBC.unshare(flags), "unshare")


def mount(source, target, flags):
    system_call(LIBC.mount(source.encode(), target.encode(), None, flags, None), f"mount {target}")


class Failed(Exception):
    """What a test expected and did not find."""


class NotApplicable(Exception):
    """Why a test says nothing about this plugin."""


def expect(condition, words):
    if not condition:
        raise Failed(words)


class Answer:
    """What one call came to."""

    def __init__(self, status, out, err, seconds, held):
        self.status, self.out, self.err, self.seconds, self.held = status, out, err, seconds, held
        try:
            self.doc = json.loads(out)
        except ValueError:
            self.doc = None

    def __str__(self):
        return f"exit {self.status}, stdout {self.out.strip()[:300]!r}, stderr {self.err.strip()[:200]!r}"

    @property
    def code(self):
        return self.doc.get("code") if isinstance(self.doc, dict) and self.status else None

    @property
    def message(self):
        return str(self.doc.get("msg", "")) if isinstance(self.doc, dict) else ""

    @property
    def address(self):
        ips = self.doc.get("ips") if isinstance(self.doc, dict) else None
        return ips[0]["address"].split("/")[0] if ips else None

    def succeeded(self):
        expect(self.status == 0, f"expected success: {self}")
        return self

    def refused(self, code=None, words=()):
        expect(self.status != 0, f"expected a refusal: {self}")
        expect(isinstance(self.doc, dict) and "code" in self.doc, f"expected one error object on stdout: {self}")
        expect(code is None or self.doc["code"] == code, f"expected error {code}: {self}")
        for word in [words] if isinstance(words, str) else words:
            text = self.message + str(self.doc.get("details", ""))
            expect(word in text, f"expected words on {word!r}: {self}")
        return self


class World:
    """A host's namespace, which the process is in, pods, and a plugin to call."""

    def __init__(self, subject, directory, program, ipam_program):
        self.subject, self.directory, self.program, self.ipam_program = subject, directory, program, ipam_program
        os.makedirs(directory)
        unshare(CLONE_NEWNS | CLONE_NEWNET)
        mount("none", "/", MS_REC | MS_PRIVATE)
        self.run("ip link set lo up")
        # Go's plugins look into sysfs of the namespace; routes need a host that forwards.
        for setting in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            with open(f"/proc/sys/{setting}", "w") as file:
                file.write("1")
        self.host = self.bind_namespace("host")
        self.pod = self.make_pod("pod")
        subject.prepare(self)

    # Namespaces.
    def path(self, name):
        return os.path.join(self.directory, name)

    def bind_namespace(self, name):
        path = self.path(name + ".ns")
        open(path, "w").close()
        mount("/proc/thread-self/ns/net", path, MS_BIND)
        return path

    def make_pod(self, name):
        unshare(CLONE_NEWNET)
        path = self.bind_namespace(name)
        self.run("ip link set lo up")
        with open(self.host) as home:
            system_call(LIBC.setns(home.fileno(), CLONE_NEWNET), "setns")
        return path

    def drop_pod(self, path):
        system_call(LIBC.umount2(path.encode(), MNT_DETACH), "umount")
        os.remove(path)

    def run(self, command, pod=None, check=True):
        words = (["nsenter", f"--net={pod}", "--"] if pod else []) + command.split()
        result = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False)
        expect(not check or result.returncode == 0, f"{' '.join(words)}: {result.stdout}{result.stderr}")
        return result.stdout

    # Calls.
    def config(self, version="1.0.0", **members):
        return self.subject.config(self, version, members)

    def environment(self, verb, **changes):
        variables = {
            "PATH": os.environ["PATH"], "CNI_COMMAND": verb, "CNI_CONTAINERID": "c1", "CNI_NETNS": self.pod,
            "CNI_IFNAME": "eth0", "CNI_PATH": self.subject.plugin_path, "CONFORMANCE_DIRECTORY": self.directory,
        }
        if verb in ("GC", "STATUS"):
            # Runtimes pass these empty, not unset.
            variables.update(CNI_CONTAINERID="", CNI_NETNS="", CNI_IFNAME="")
        variables.update(changes)
        return {name: value for name, value in variables.items() if value is not None}

    def call(self, verb, config=None, program=None, during=None, **changes):
        """One call. A variable of None is unset; `config` is a document, or text as it stands."""
        config = self.config() if config is None else config
        text = config if isinstance(config, str) else json.dumps(config)
        start = time.monotonic()
        process = subprocess.Popen(
            [program or self.program], env=self.environment(verb, **changes), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", start_new_session=True)
        if during:
            during(process)
        output, held = self.collect(process, text, start)
        seconds = time.monotonic() - start
        return Answer(process.returncode, output[0], output[1], seconds, held)

    @staticmethod
    def collect(process, text, start):
        """The output to its end, and for how long somebody held it open after the plugin's exit."""
        output, ended = ["", ""], [0.0, 0.0]

        def read(place, stream):
            output[place] = stream.read().decode(errors="replace")
            ended[place] = time.monotonic()

        readers = [
            threading.Thread(target=read, args=(place, stream), daemon=True)
            for place, stream in enumerate((process.stdout, process.stderr))]
        for reader in readers:
            reader.start()
        try:
            process.stdin.write(text.encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"no answer within {DEADLINE} s") from None
        exited = time.monotonic()
        for reader in readers:
            reader.join(max(0.1, start + DEADLINE - time.monotonic()))
        expect(not any(reader.is_alive() for reader in readers), "a child holds the plugin's output open")
        return output, max(ended) - exited

    def add(self, config=None, **changes):
        return self.call("ADD", config, **changes).succeeded()

    def delete(self, config=None, **changes):
        return self.call("DEL", config, **changes).succeeded()

    def check(self, result, version="1.0.0", **members):
        return self.call("CHECK", self.config(version, prevResult=result, **members))

    def supports(self, version):
        answer = self.call("VERSION", "{}").doc or {}
        return version in answer.get("supportedVersions", [])

    def require(self, version):
        if not self.supports(version):
            raise Failed(f"version {version} is not supported")

    def supported(self, versions):
        """Those of the versions that the plugin says it has. Row 63 asks for all of them."""
        listed = (self.call("VERSION", "{}").doc or {}).get("supportedVersions", [])
        expect(any(version in listed for version in versions), f"none of {versions} is supported")
        return [version for version in versions if version in listed]

    # What an attachment may leave behind.
    def traces(self):
        links = sorted(line.split(":")[1].split("@")[0].strip() for line in self.run("ip -o link").splitlines())
        return {
            "links": links, "routes": sorted(self.run("ip route").splitlines() + self.run("ip -6 route").splitlines()),
            "leases": self.subject.leases(self),
        }

    def untouched(self, before, words):
        after = self.traces()
        expect(after == before, f"{words}: before {before}, after {after}")

    @property
    def tools(self):
        return os.path.dirname(os.path.abspath(__file__))

    def spied(self, member):
        """What spy-ipam has written down, in order."""
        if not os.path.exists(self.path("spy")):
            return []
        with open(self.path("spy")) as file:
            return [json.loads(line)[member] for line in file]

    def pod_links(self, pod=None):
        return self.run("ip -o link", pod or self.pod)


class Subject:
    """A plugin with an IPAM plugin of its own: ptp with host-local, for one."""

    is_apus = False

    def __init__(self, program, ipam, plugin_path):
        self.program, self.ipam, self.plugin_path = program, ipam, plugin_path
        self.type = os.path.basename(program)

    @property
    def ipam_program(self):
        return next(
            (path for directory in self.plugin_path.split(":")
             if os.access(path := os.path.join(directory, self.ipam), os.X_OK)), None)

    def prepare(self, world, size="large", families=(4,)):
        world.size, world.families = size, families

    def config(self, world, version, members):
        ranges = {"large": "10.244.0.0/26", "small": "10.244.0.0/30"}[world.size]
        subnets = [[{"subnet": ranges}]] + ([[{"subnet": "fd00:10::/122"}]] if 6 in world.families else [])
        routes = [{"dst": "0.0.0.0/0"}] + ([{"dst": "::/0"}] if 6 in world.families else [])
        config = {
            "cniVersion": version, "name": "net", "type": self.type, "ipMasq": False, "mtu": 1500,
            "ipam": {"type": self.ipam, "dataDir": world.path("leases"), "ranges": subnets, "routes": routes},
        }
        config.update(members)
        return {name: value for name, value in config.items() if value is not None}

    def leases(self, world):
        found = []
        for directory, _, names in os.walk(world.path("leases")):
            found += [os.path.join(os.path.basename(directory), n) for n in names if n[0].isdigit()]
        return sorted(found)

    def lose_lease(self, world):
        shutil.rmtree(world.path("leases"), ignore_errors=True)

    def reboot(self, world):
        del world


class Apus(Subject):
    """Apus with its own addresses: node.json is what the daemon has left, and no daemon answers."""

    is_apus = True

    def run_directory(self, world):
        return world.path("run")

    def prepare(self, world, size="large", families=(4,)):
        world.size, world.families = size, families
        run = self.run_directory(world)
        for part in ("", "/blocks", "/attachments"):
            os.makedirs(run + part, mode=0o700, exist_ok=True)
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        kinds = [("ipv4", "10.244.0.0/16", {"large": "10.244.0.0/26", "small": "10.244.0.0/31"}[size])]
        if 6 in families:
            kinds.append(("ipv6", "fd00:10::/64", "fd00:10::/122"))
        node = {
            "v": 1, "node": "node1", "bootID": boot, "netns": os.stat(world.host).st_ino, "mtu": 1500, "generation": 1,
            "pools": [
                {"name": name, "cidr": pool, "mode": "bgp", "blockSize": int(block.split("/")[1]), "disabled": False}
                for name, pool, block in kinds],
            "blocks": [
                {"cidr": block, "pool": name, "announced": True, "closed": False} for name, _, block in kinds],
        }
        with open(run + "/node.json", "w") as file:
            json.dump(node, file)

    def config(self, world, version, members):
        config = {
            "cniVersion": version, "name": "net", "type": "apus", "mode": "bgp", "mtu": 1500,
            "runDir": self.run_directory(world), "logLevel": "error",
        }
        if self.ipam != "apus-ipam":
            config["ipam"] = super().config(world, version, {})["ipam"]
        config.update(members)
        return {name: value for name, value in config.items() if value is not None}

    def leases(self, world):
        found = super().leases(world)
        run = self.run_directory(world)
        for name in sorted(os.listdir(run + "/blocks")) if os.path.isdir(run + "/blocks") else []:
            if not name.endswith(".json"):
                continue
            with open(f"{run}/blocks/{name}") as file:
                found += [f"{name} {ordinal}" for ordinal in json.load(file)["allocated"]]
        if os.path.isdir(run + "/attachments"):
            found += sorted(os.listdir(run + "/attachments"))
        return found

    def lose_lease(self, world):
        shutil.rmtree(self.run_directory(world) + "/attachments")

    def reboot(self, world):
        self.prepare(world, world.size, world.families)


def serve_daemon(world, peers):
    """apusd's side of the socket, as far as STATUS asks: hello, then a status with peers in these states."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(world.subject.run_directory(world) + "/apusd.sock")
    listener.listen()

    def receive(connection):
        length = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))[0]
        return json.loads(connection.recv(length, socket.MSG_WAITALL))

    def send(connection, document):
        text = json.dumps(document).encode()
        connection.sendall(struct.pack(">I", len(text)) + text)

    def serve():
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    send(connection, receive(connection))
                    request = receive(connection)
                    rows = [
                        {"address": "192.0.2.9", "family": "ipv4", "type": "global", "state": state, "since": 0,
                         "info": state, "asNumber": 64512, "node": ""} for state in peers]
                    node = {"name": "node1", "asNumber": 64512, "routerID": "192.0.2.1", "startedAt": 0}
                    send(connection, {"id": request["id"], "ok": {"node": node, "peers": rows}})
                except (OSError, struct.error, ValueError):
                    continue

    threading.Thread(target=serve, daemon=True).start()
