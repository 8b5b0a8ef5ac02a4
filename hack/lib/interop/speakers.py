"""One adapter for each BGP speaker: its configuration of two sessions with a neighbour, and what its tools show.

A speaker is a member of a lab. It announces 10.244.N.0/26 and fd00:244:0:N::/122 with the large community ASN:1:2, and
has one session for each family, over that family's address.
"""
import json
import os
import pwd
import re

from lab import eventually


class Neighbour:
    """A session of the speaker, as configured."""

    def __init__(self, number, asn, password4=None, password6=None, gtsm4=False, gtsm6=False, client=False):
        self.number = number
        self.asn = asn
        self.client = client
        self.families = [
            (4, f"192.168.1.{number}", password4, gtsm4),
            (6, f"fd00:1::{number}", password6, gtsm6),
        ]


class Speaker:
    """What every adapter has. `limits` maps a cell of the matrix to why the speaker cannot fill it."""

    name = ""
    limits = {}

    def __init__(self, lab, asn):
        self.lab = lab
        self.asn = asn
        self.number, self.namespace = lab.join()
        self.directory = os.path.join(lab.directory, f"{self.name}{self.number}")
        os.makedirs(self.directory)
        self.neighbours = []
        self.processes = []
        # Whether IPv4 routes go over the IPv6 session, and how long others are asked to keep routes after a restart of
        # two seconds.
        self.is_over_ipv6 = False
        self.long_lived_seconds = None
        # Whether BIRD leaves the dialling to its neighbours.
        self.is_passive = False
        self.address4, self.address6 = f"192.168.1.{self.number}", f"fd00:1::{self.number}"
        self.prefix4, self.prefix6 = f"10.244.{self.number}.0/26", f"fd00:244:0:{self.number}::/122"
        self.large = f"{asn}:1:2"

    def path(self, leaf):
        """A file of the speaker's own."""
        return os.path.join(self.directory, leaf)

    def write(self, leaf, text):
        """Writes a configuration file that any user may read."""
        with open(self.path(leaf), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(leaf), 0o644)

    def spawn(self, argv, leaf):
        """Starts one of the speaker's processes."""
        self.processes.append(self.lab.spawn(self.namespace, argv, self.path(leaf)))

    def kill(self):
        """Ends the speaker as a crash would."""
        for process in reversed(self.processes):
            self.lab.kill(process)
        self.processes = []

    def run(self, *argv):
        """The output of a tool within the speaker's namespace."""
        return self.lab.run(self.namespace, list(argv))

    def next_hops(self, prefix):
        """The next hops of all paths to a prefix."""
        raise NotImplementedError

    def is_marked_long_lived(self, prefix):
        """Whether a path to the prefix bears LLGR_STALE."""
        raise NotImplementedError

    def carried(self, family):
        """The families of the session over a family's address."""
        return (4, 6) if self.is_over_ipv6 else (family,)

    def json(self, *argv):
        """The same as JSON; None when it is none."""
        try:
            return json.loads(self.run(*argv))
        except ValueError:
            return None


class Bird(Speaker):
    """BIRD 2."""

    name = "bird"

    def start(self, restarting=False):
        protocols = ""
        for neighbour in self.neighbours:
            for family, address, password, gtsm in neighbour.families:
                kind = "" if neighbour.asn == self.asn else "multihop 1; " if gtsm else "direct; "
                protocols += f"""
protocol bgp n{neighbour.number}f{family} {{
    local {self.address4 if family == 4 else self.address6} as {self.asn};
    neighbor {address} as {neighbour.asn};
    {kind}{'passive; ' if self.is_passive else ''}
    {'rr client; ' if neighbour.client else ''}{'ttl security on; ' if gtsm else ''}
    {f'password "{password}"; ' if password else ''}
    graceful restart on; enable extended messages on;
    {f'graceful restart time 2; long lived graceful restart on; long lived stale time {self.long_lived_seconds};'
     if self.long_lived_seconds else ''}
    connect delay time 1; connect retry time 2; error wait time 1, 2;
"""
                for carried in self.carried(family):
                    protocols += f"""
    ipv{carried} {{ import all; export where source ~ [RTS_STATIC, RTS_BGP]; add paths on;
        {'extended next hop on;' if carried != family else ''}
        {'' if neighbour.client else 'next hop self;'} }};
"""
                protocols += "}\n"
        community = self.large.replace(":", ", ")
        self.write("bird.conf", f"""
router id {self.address4};
protocol device {{ }}
protocol direct {{ ipv4; ipv6; interface "eth0"; }}
protocol static {{ ipv4; route {self.prefix4} blackhole {{ bgp_large_community.add(({community})); }}; }}
protocol static {{ ipv6; route {self.prefix6} blackhole {{ bgp_large_community.add(({community})); }}; }}
{protocols}""")
        self.spawn(["bird", "-f", "-c", self.path("bird.conf"), "-s", self.path("ctl"), "-P", self.path("pid"),
                    *(["-R"] if restarting else [])], "log")

    def show(self, *words):
        return self.run("birdc", "-s", self.path("ctl"), *words)

    def up(self, neighbour, family):
        return "Established" in self.show("show", "protocols", f"n{neighbour.number}f{family}")

    def route(self, prefix):
        text = self.show("show", "route", "for", prefix, "all")
        if prefix not in text:
            return None
        return {"large": ":".join(re.findall(r"large_community: \((\d+), (\d+), (\d+)\)", text)[0])
                if "large_community" in text else "", "reflected": "originator_id" in text.lower()}

    def next_hops(self, prefix):
        return set(re.findall(r"BGP\.next_hop: (\S+)", self.show("show", "route", "for", prefix, "all")))

    def is_marked_long_lived(self, prefix):
        return "(65535,6)" in self.show("show", "route", "for", prefix, "all")

    def refresh(self, neighbour, family):
        self.show("reload", "in", f"n{neighbour.number}f{family}")

    def add_path(self, neighbour, family):
        text = self.show("show", "protocols", "all", f"n{neighbour.number}f{family}")
        return "ADD-PATH" in text.split("Neighbor capabilities", 1)[-1]


class FRR(Speaker):
    """FRR's zebra and bgpd."""

    name = "frr"
    LIBRARY = "/usr/lib/frr"

    def daemon(self, name, *more):
        self.spawn([
            f"{self.LIBRARY}/{name}", "-f", self.path(f"{name}.conf"), "-i", self.path(f"{name}.pid"),
            "-z", self.path("zserv.api"), "--vty_socket", self.directory, "-u", "frr", "-g", "frr", "-P", "0",
            "--log", f"file:{self.path(name + '.log')}", *more], f"{name}.out")

    def start(self, restarting=False):
        owner = pwd.getpwnam("frr")
        os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        # Before it is used: a route map that comes after is looked at again five seconds later only.
        text = f"""route-map mark permit 10
 set large-community {self.large}
router bgp {self.asn}
 bgp router-id {self.address4}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 timers bgp 3 9
"""
        if self.long_lived_seconds:
            text += " bgp graceful-restart restart-time 2\n"
            text += f" bgp long-lived-graceful-restart stale-time {self.long_lived_seconds}\n"
        activations = {4: "", 6: ""}
        for neighbour in self.neighbours:
            for family, address, password, gtsm in neighbour.families:
                text += f" neighbor {address} remote-as {neighbour.asn}\n neighbor {address} timers connect 2\n"
                text += f" neighbor {address} password {password}\n" if password else ""
                text += f" neighbor {address} ttl-security hops 1\n" if gtsm else ""
                text += f" neighbor {address} capability extended-nexthop\n" if self.is_over_ipv6 else ""
                for carried in self.carried(family):
                    activations[carried] += f"  neighbor {address} activate\n"
                    activations[carried] += f"  neighbor {address} addpath-tx-all-paths\n"
                    activations[carried] += f"  neighbor {address} route-reflector-client\n" if neighbour.client else ""
        for family, prefix in ((4, self.prefix4), (6, self.prefix6)):
            text += f" address-family ipv{family} unicast\n{activations[family]}"
            text += f"  network {prefix} route-map mark\n exit-address-family\n"
        self.write("bgpd.conf", text)
        self.write("zebra.conf", "hostname z\n")
        if not restarting:
            self.daemon("zebra")
        self.daemon("bgpd")

    def kill(self):
        """bgpd alone: zebra keeps what forwards."""
        self.lab.kill(self.processes.pop())

    def show(self, command):
        return self.json("vtysh", "--vty_socket", self.directory, "-c", command) or {}

    def up(self, neighbour, family):
        shown = self.show(f"show bgp neighbors {neighbour.families[0 if family == 4 else 1][1]} json")
        return any(entry.get("bgpState") == "Established" for entry in shown.values() if isinstance(entry, dict))

    def route(self, prefix):
        shown = self.show(f"show bgp ipv{6 if ':' in prefix else 4} unicast {prefix} json")
        paths = shown.get("paths", [])
        if not paths:
            return None
        return {"large": paths[0].get("largeCommunity", {}).get("string", ""), "reflected": "originatorId" in paths[0]}

    def next_hops(self, prefix):
        paths = self.show(f"show bgp ipv{6 if ':' in prefix else 4} unicast {prefix} json").get("paths", [])
        return {hop["ip"] for path in paths for hop in path.get("nexthops", []) if hop.get("scope") != "link-local"}

    def is_marked_long_lived(self, prefix):
        paths = self.show(f"show bgp ipv{6 if ':' in prefix else 4} unicast {prefix} json").get("paths", [])
        return any("llgr-stale" in json.dumps(path.get("community", {})) for path in paths)

    def refresh(self, neighbour, family):
        address = neighbour.families[0 if family == 4 else 1][1]
        self.run("vtysh", "--vty_socket", self.directory, "-c", f"clear bgp ipv{family} unicast {address} soft in")

    def add_path(self, neighbour, family):
        shown = self.show(f"show bgp neighbors {neighbour.families[0 if family == 4 else 1][1]} json")
        text = json.dumps(shown)
        return '"rxAdvertisedAndReceived": true' in text and '"txAdvertisedAndReceived": true' in text


class GoBGP(Speaker):
    """gobgpd."""

    name = "gobgp"
    limits = {"long messages": "gobgpd knows no extended messages",
              "refresh": "gobgpd sends no ROUTE-REFRESH on command: softresetin reads what it has kept"}

    def start(self, restarting=False):
        text = f"""[global.config]
as = {self.asn}
router-id = "{self.address4}"
local-address-list = {json.dumps([self.address6] if self.is_over_ipv6 else [self.address4, self.address6])}
"""
        for neighbour in self.neighbours:
            for family, address, password, gtsm in neighbour.families:
                text += f"""[[neighbors]]
[neighbors.config]
neighbor-address = "{address}"
peer-as = {neighbour.asn}
{f'auth-password = "{password}"' if password else ''}
[neighbors.timers.config]
connect-retry = 2
hold-time = 9
keepalive-interval = 3
[neighbors.graceful-restart.config]
enabled = true
restart-time = {2 if self.long_lived_seconds else 120}
notification-enabled = true
{'long-lived-enabled = true' if self.long_lived_seconds else ''}
"""
                if gtsm:
                    text += "[neighbors.ttl-security.config]\nenabled = true\nttl-min = 255\n"
                if neighbour.client:
                    text += f"""[neighbors.route-reflector.config]
route-reflector-client = true
route-reflector-cluster-id = "{self.address4}"
"""
                for carried in self.carried(family):
                    text += f"""[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv{carried}-unicast"
[neighbors.afi-safis.mp-graceful-restart.config]
enabled = true
[neighbors.afi-safis.add-paths.config]
receive = true
send-max = 4
"""
                    if self.long_lived_seconds:
                        text += f"""[neighbors.afi-safis.long-lived-graceful-restart.config]
enabled = true
restart-time = {self.long_lived_seconds}
"""
        self.write("gobgpd.toml", text)
        self.spawn(["gobgpd", "-t", "toml", "-f", self.path("gobgpd.toml"), "--api-hosts", "127.0.0.1:50051",
                    "--pprof-disable", *(["-r"] if restarting else [])], "log")
        # Its routes come by command, and are there before a session is: else it would say that it has none.
        eventually(10, self.announce)

    def announce(self):
        """Announces its two networks; whether it has taken them."""
        for family, prefix in ((4, self.prefix4), (6, self.prefix6)):
            hop = self.address4 if family == 4 and not self.is_over_ipv6 else self.address6
            self.run("gobgp", "global", "rib", "add", "-a", f"ipv{family}", prefix, "nexthop", hop,
                     "large-community", self.large)
        return self.route(self.prefix4) and self.route(self.prefix6)

    def up(self, neighbour, family):
        shown = self.json("gobgp", "neighbor", neighbour.families[0 if family == 4 else 1][1], "-j") or {}
        return shown.get("state", {}).get("session_state") in (6, "ESTABLISHED")

    def route(self, prefix):
        shown = self.json("gobgp", "global", "rib", "-a", f"ipv{6 if ':' in prefix else 4}", prefix, "-j") or {}
        paths = shown.get(prefix) or []
        if not paths:
            return None
        attributes = {attribute.get("type"): attribute for attribute in paths[0].get("attrs", [])}
        large = [f"{v['ASN']}:{v['LocalData1']}:{v['LocalData2']}" for v in attributes.get(32, {}).get("value", [])]
        return {"large": large[0] if large else "", "reflected": 9 in attributes}

    def paths(self, prefix):
        """All paths to a prefix."""
        shown = self.json("gobgp", "global", "rib", "-a", f"ipv{6 if ':' in prefix else 4}", prefix, "-j") or {}
        return shown.get(prefix) or []

    def next_hops(self, prefix):
        return {attribute["nexthop"] for path in self.paths(prefix) for attribute in path.get("attrs", [])
                if "nexthop" in attribute}

    def is_marked_long_lived(self, prefix):
        stale = 65535 << 16 | 6
        return any(stale in attribute.get("communities", []) for path in self.paths(prefix)
                   for attribute in path.get("attrs", []))

    def refresh(self, neighbour, family):
        self.run("gobgp", "neighbor", neighbour.families[0 if family == 4 else 1][1], "softresetin")

    def add_path(self, neighbour, family):
        text = self.run("gobgp", "neighbor", neighbour.families[0 if family == 4 else 1][1])
        line = re.search(r"add-path:\s*(.*)", text)
        return bool(line and "received" in line.group(1))


class OpenBGPD(Speaker):
    """OpenBGPD, the portable version."""

    name = "openbgpd"
    limits = {
        "long messages": "OpenBGPD 7.7 knows no extended messages",
        "peer restarts": "OpenBGPD keeps a restarting peer's routes; for itself it offers no graceful restart",
        **dict.fromkeys(("LLGR helper", "LLGR kept"), "OpenBGPD 7.7 has no long-lived graceful restart"),
        "v4 over v6": "OpenBGPD 7.7 has no extended next hop",
    }

    def start(self, restarting=False):
        os.makedirs(pwd.getpwnam("_openbgpd").pw_dir, exist_ok=True)
        text = f"""AS {self.asn}
router-id {self.address4}
listen on {self.address4}
listen on {self.address6}
socket "{self.path('ctl')}"
fib-update no
nexthop qualify via default
network {self.prefix4} set large-community {self.large}
network {self.prefix6} set large-community {self.large}
"""
        for neighbour in self.neighbours:
            for family, address, password, gtsm in neighbour.families:
                own = self.address4 if family == 4 else self.address6
                text += f"""neighbor {address} {{
 remote-as {neighbour.asn}
 local-address {own}
 holdtime 9
 announce IPv{family} unicast
 announce IPv{10 - family} none
 announce add-path recv yes
 announce add-path send all
 {f'tcp md5sig password {password}' if password else ''}
 {'ttl-security yes' if gtsm else ''}
 {'route-reflector' if neighbour.client else ''}
}}
"""
        text += "allow from any\nallow to any\n"
        self.write("bgpd.conf", "\n".join(line for line in text.split("\n") if line.strip()) + "\n")
        os.chmod(self.path("bgpd.conf"), 0o600)
        self.spawn(["/usr/sbin/bgpd", "-d", "-f", self.path("bgpd.conf")], "log")

    def ctl(self, *words):
        return self.json("bgpctl", "-s", self.path("ctl"), "-j", *words) or {}

    def up(self, neighbour, family):
        shown = self.ctl("show", "neighbor", neighbour.families[0 if family == 4 else 1][1])
        return any(entry.get("state") == "Established" for entry in shown.get("neighbors", []))

    def route(self, prefix):
        shown = self.ctl("show", "rib", "detail", prefix)
        paths = [entry for entry in shown.get("rib", []) if entry.get("prefix") == prefix]
        if not paths:
            return None
        large = paths[0].get("large_communities", [])
        return {"large": large[0] if large else "", "reflected": "originator" in json.dumps(paths[0]).lower()}

    def next_hops(self, prefix):
        shown = self.ctl("show", "rib", "detail", prefix)
        return {entry.get("exit_nexthop") for entry in shown.get("rib", []) if entry.get("prefix") == prefix}

    def is_marked_long_lived(self, prefix):
        return "LLGR_STALE" in json.dumps(self.ctl("show", "rib", "detail", prefix))

    def refresh(self, neighbour, family):
        self.run("bgpctl", "-s", self.path("ctl"), "neighbor", neighbour.families[0 if family == 4 else 1][1], "refresh")

    def add_path(self, neighbour, family):
        text = self.run("bgpctl", "-s", self.path("ctl"), "show", "neighbor",
                        neighbour.families[0 if family == 4 else 1][1])
        return "add-path" in text.lower()


SPEAKERS = {speaker.name: speaker for speaker in (Bird, FRR, GoBGP, OpenBGPD)}
