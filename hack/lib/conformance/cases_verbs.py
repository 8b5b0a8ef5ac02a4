"""Rows 44 to 62: CHECK, STATUS, GC."""
import fcntl
import glob
import json
import os
import shutil

from case import case
from world import expect, serve_daemon

BLIND = {"on": "CHECK", "skip": True}


def listed(*names):
    return [{"containerID": name, "ifname": "eth0"} for name in names]


def collect(world, entries, key="cni.dev/valid-attachments", **members):
    config = world.config("1.1.0", **members)
    config[key] = entries
    return world.call("GC", config)


@case(44, mutant=BLIND)
def check_needs_a_result(world):
    """CHECK without prevResult is error 7, and in a version before 0.4.0 error 1"""
    world.add()
    world.call("CHECK").refused(7, "prevResult")
    world.call("CHECK", world.config("0.3.1", prevResult={})).refused(1)


def altered(name, sentence, commands, words, pod=True, apus_only=False):
    """Registers a test of CHECK: the pod after these commands is not what ADD has made. Apus names it by `words`."""
    def test(world):
        result = world.add().doc
        world.check(result).succeeded()
        host = next(link["name"] for link in result["interfaces"] if not link.get("sandbox"))
        address = result["ips"][0]["address"].split("/")[0]

        def filled(text):
            return text.replace("HOST", host).replace("ADDRESS", address)

        for command in commands:
            world.run(filled(command), world.pod if pod else None)
        world.check(result).refused(words=filled(words) if world.subject.is_apus else ())

    test.__name__, test.__doc__ = name, f"CHECK finds {sentence}"
    case(45, mutant=BLIND, apus_only=apus_only)(test)


altered("no_link", "that the pod's link is gone", ["ip link del eth0"], "pod link eth0 is missing")
altered("no_address", "that the pod's address is gone", ["ip addr flush dev eth0 scope global"],
        "address ADDRESS/32 of pod link eth0 is missing")
altered("no_default_route", "that the default route is gone", ["ip route del default"],
        "pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 is missing")
altered("another_mtu", "another MTU in the pod", ["ip link set eth0 mtu 1300"],
        "MTU of pod link eth0 is 1300, not 1500")
altered("another_mac", "another MAC in the pod", ["ip link set eth0 address 02:00:00:00:00:77"],
        "MAC of pod link eth0 is 02:00:00:00:00:77")
altered("pod_down", "that the pod's link is down", ["ip link set eth0 down"], "state of pod link eth0 is down, not up")
altered("no_gateway_route", "that the gateway's route is gone", ["ip route del 169.254.1.1"],
        "pod route 169.254.1.1/32 dev eth0 is missing", apus_only=True)
altered("no_gateway", "that the gateway's neighbour is gone", ["ip neigh del 169.254.1.1 dev eth0"],
        "pod neighbour 169.254.1.1 dev eth0 is missing", apus_only=True)
altered("host_down", "that the host's end is down", ["ip link set HOST down"],
        "state of host link HOST is down, not up", pod=False)
altered("host_renamed", "that the host's end has another name",
        ["ip link set HOST down", "ip link set HOST name other0"], "host link HOST is missing", pod=False)
altered("host_mtu", "another MTU of the host's end", ["ip link set HOST mtu 1300"],
        "MTU of host link HOST is 1300, not 1500", pod=False)
altered("no_host_route", "that the host's route is gone", ["ip route del ADDRESS"],
        "host route ADDRESS/32 dev HOST is missing", pod=False)
altered("no_pod_neighbour", "that the pod's neighbour is gone", ["ip neigh del ADDRESS dev HOST"],
        "host neighbour ADDRESS dev HOST is missing", pod=False, apus_only=True)
altered("no_proxy_arp", "proxy_arp off", ["sysctl -qw net/ipv4/conf/HOST/proxy_arp=0"],
        "proxy_arp of host link HOST is 0, not 1", pod=False, apus_only=True)
altered("no_forwarding", "forwarding off", ["sysctl -qw net/ipv4/conf/HOST/forwarding=0"],
        "forwarding of host link HOST is 0, not 1", pod=False, apus_only=True)
altered("another_rp_filter", "rp_filter off", ["sysctl -qw net/ipv4/conf/HOST/rp_filter=0"],
        "rp_filter of host link HOST is 0, not 1", pod=False, apus_only=True)
altered("better_default", "a better default route by another link",
        ["ip link add net1 type bridge", "ip link set net1 up", "ip route prepend default dev net1"],
        "packets of pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 are taken by 0.0.0.0/0 dev net1", apus_only=True)
altered("better_gateway", "that the gateway is reached by another link",
        ["ip link add net1 type bridge", "ip link set net1 up", "ip route prepend 169.254.1.1 dev net1"],
        "packets of pod route 169.254.1.1/32 dev eth0 are taken by 169.254.1.1/32 dev net1", apus_only=True)
altered("better_host_route", "that the host reaches the pod by another link",
        ["ip link add net1 type bridge", "ip link set net1 up", "ip route prepend ADDRESS dev net1"],
        "packets of host route ADDRESS/32 dev HOST are taken by ADDRESS/32 dev net1", pod=False, apus_only=True)
altered("another_table", "that the host reaches the pod by another table",
        ["ip link add net1 type bridge", "ip link set net1 up", "ip route add ADDRESS dev net1 table 100",
         "ip rule add to ADDRESS lookup 100 priority 100"],
        "taken by ADDRESS/32 dev net1 scope link proto 3 table 100", pod=False, apus_only=True)


@case(45, mutant={"on": "CHECK", "nth": 2, "fail": True})
def additions_are_tolerated(world):
    """CHECK takes no offence at what later plugins have added"""
    result = world.add().doc
    world.check(result).succeeded()
    world.run("ip addr add 192.0.2.1/24 dev eth0", world.pod)
    world.run("ip link add later0 type veth peer name later1", world.pod)
    world.run("ip route add 198.51.100.0/24 dev eth0", world.pod)
    world.run("ip link set later0 up", world.pod)
    world.run("ip addr add 203.0.113.1/24 dev later0", world.pod)
    world.run("ip route add default dev later0 metric 100", world.pod)
    result["interfaces"].append({"name": "later0", "sandbox": world.pod})
    world.check(result).succeeded()


@case(46, mutant=BLIND)
def the_lease_is_looked_at(world):
    """CHECK finds that the allocation record is gone"""
    result = world.add().doc
    world.subject.lose_lease(world)
    world.check(result).refused(words="allocation record" if world.subject.is_apus else ())


@case(47, mutant={"on": "CHECK", "fail": True})
def check_after_add(world):
    """CHECK right after ADD has nothing to say, in every version that has it"""
    for version in world.supported(["0.4.0", "1.0.0", "1.1.0"]):
        result = world.add(world.config(version)).doc
        world.check(result, version).succeeded()
        world.delete(world.config(version))


@case(48, mutant=BLIND)
def the_sandbox_is_the_namespace(world):
    """CHECK refuses a result whose sandbox is not CNI_NETNS"""
    result = world.add().doc
    for link in result["interfaces"]:
        if link.get("sandbox"):
            link["sandbox"] = "/run/netns/another"
    world.check(result).refused()


@case(49, mutant={"env": {"SPY_DEAF": "CHECK"}})
def check_asks_the_delegate(world):
    """CHECK asks the IPAM plugin, too"""
    config = {"ipam": {"type": "spy-ipam"}}
    result = world.add(world.config(**config)).doc
    world.check(result, **config)
    expect("CHECK" in world.spied("verb"), f"the IPAM plugin was called for {world.spied('verb')}")


@case(50, mutant={"on": "CHECK", "stdout": "OK\n"})
def check_is_silent(world):
    """CHECK that finds nothing prints nothing"""
    answer = world.check(world.add().doc).succeeded()
    expect(answer.out == "", f"expected nothing: {answer}")


@case(51, mutant={"on": "STATUS", "skip": True})
def status_says_50(world):
    """STATUS succeeds where ADD would, and is error 50 where it would not"""
    world.require("1.1.0")
    world.call("STATUS", world.config("1.1.0")).succeeded()
    world.call("STATUS", world.config("1.0.0")).refused(1)
    if world.subject.is_apus:
        os.remove(world.subject.run_directory(world) + "/node.json")
    else:
        world.subject.prepare(world, size="small")
        world.add()
    world.call("STATUS", world.config("1.1.0")).refused(50)


@case(51, mutant={"on": "STATUS", "skip": True}, apus_only=True)
def status_says_51(world):
    """STATUS is error 51 when no BGP session is up though there are peers"""
    serve_daemon(world, ["start"])
    world.call("STATUS", world.config("1.1.0")).refused(51, "192.0.2.9")


@case(51, mutant={"on": "STATUS", "fail": True}, apus_only=True)
def one_session_is_enough(world):
    """STATUS succeeds when one BGP session of two is up"""
    serve_daemon(world, ["start", "up"])
    world.call("STATUS", world.config("1.1.0")).succeeded()


@case(52, mutant={"on": "STATUS", "skip": True})
def status_of_an_exhausted_network(world):
    """STATUS is error 50 when no address is free"""
    world.require("1.1.0")
    world.subject.prepare(world, size="small")
    world.add(world.config("1.1.0"))
    expect(world.call("ADD", world.config("1.1.0"), CNI_CONTAINERID="c2", CNI_NETNS=world.make_pod("pod2")).status,
           "the network is not exhausted")
    world.call("STATUS", world.config("1.1.0")).refused(50)


@case(53, mutant={"env": {"SPY_DEAF": "STATUS"}})
def status_asks_the_delegate(world):
    """STATUS asks the IPAM plugin, too"""
    world.require("1.1.0")
    world.call("STATUS", world.config("1.1.0", ipam={"type": "spy-ipam"}))
    expect("STATUS" in world.spied("verb"), f"the IPAM plugin was called for {world.spied('verb')}")


@case(54, mutant={"on": "ADD", "nth": 2, "fail": True})
def status_decides_nothing(world):
    """After a STATUS that says no, DEL and ADD work"""
    world.require("1.1.0")
    world.subject.prepare(world, size="small")
    world.add(world.config("1.1.0"))
    world.call("STATUS", world.config("1.1.0")).refused(50)
    world.delete(world.config("1.1.0"))
    world.add(world.config("1.1.0"))


@case(55, mutant={"on": "STATUS", "after": "sleep 0.2"})
def status_is_cheap(world):
    """STATUS leaves no trace, and of twenty in a row the fastest five take some milliseconds each"""
    world.require("1.1.0")
    before = world.traces()
    answers = [world.call("STATUS", world.config("1.1.0")).succeeded() for _ in range(20)]
    world.untouched(before, "after STATUS")
    expect(all(answer.out == "" for answer in answers), "STATUS prints something")
    # A busy machine makes some of them wait. A wrapper in Python takes some 60 ms of its own.
    seconds = sorted(answer.seconds for answer in answers)[4]
    expect(seconds < 0.15, f"{seconds * 1000:.0f} ms")


def two_networks(world):
    """c1 and c2 in the network, c3 in another: each in a pod of its own."""
    pods = {name: world.make_pod(name) for name in ("c1", "c2", "c3")}
    for name in ("c1", "c2"):
        world.add(world.config("1.1.0"), CNI_CONTAINERID=name, CNI_NETNS=pods[name])
    world.add(world.config("1.1.0", name="other"), CNI_CONTAINERID="c3", CNI_NETNS=pods["c3"])
    return lambda: [name for name in pods if "eth0" in world.run("ip -o link", pods[name])]


@case(56, mutant={"on": "GC", "stdin": {"cni.dev/valid-attachments": None, "cni.dev/attachments": None}})
def gc_by_either_key(world):
    """GC takes the list under libcni's name and under that of the specification's text"""
    world.require("1.1.0")
    alive = two_networks(world)
    collect(world, listed("c1", "c2")).succeeded()
    expect(alive() == ["c1", "c2", "c3"], f"alive: {alive()}")
    collect(world, listed("c1"), key="cni.dev/attachments").succeeded()
    expect(alive() == ["c1", "c3"], f"alive: {alive()}")
    collect(world, listed()).succeeded()
    expect(alive() == ["c3"], f"alive: {alive()}")


@case(57, mutant={"on": "GC", "skip": True})
def gc_by_the_kernel(world):
    """GC removes a link whose lease is lost, and frees a lease whose link is gone"""
    world.require("1.1.0")
    before = world.traces()
    world.add(world.config("1.1.0"))
    world.subject.lose_lease(world)
    collect(world, []).succeeded()
    world.untouched(before, "after GC of a link without a lease")
    world.add(world.config("1.1.0"))
    world.run("ip link del eth0", world.pod)
    collect(world, []).succeeded()
    world.untouched(before, "after GC of a lease without a link")


@case(57, mutant={"on": "GC", "when": "error", "exit": 0, "stdout": "", "mute": True}, apus_only=True)
def gc_goes_on_after_errors(world):
    """GC names at its end what it could not remove, and has removed the rest"""
    alive = two_networks(world)
    records = glob.glob(world.subject.run_directory(world) + "/attachments/*.json")
    torn = next(name for name in records if json.load(open(name))["containerID"] == "c1")
    with open(torn, "w") as file:
        file.write("torn")
    collect(world, []).refused(words=os.path.basename(torn))
    expect(alive() == ["c1", "c3"], f"alive: {alive()}")


@case(58, mutant={"on": "GC", "stdout": "OK\n"})
def gc_is_silent(world):
    """GC prints nothing when it succeeds"""
    world.require("1.1.0")
    world.add(world.config("1.1.0"))
    for entries in ([], listed("c1")):
        answer = collect(world, entries).succeeded()
        expect(answer.out == "", f"expected nothing: {answer}")


@case(60, mutant={"on": "GC", "stdin": {"cni.dev/valid-attachments": []}})
def gc_without_a_list(world):
    """GC without a list, or with null, does nothing; with one that is none it is an error"""
    world.require("1.1.0")
    alive = two_networks(world)
    world.call("GC", world.config("1.1.0")).succeeded()
    collect(world, None).succeeded()
    for entries in ("c1", [{"containerID": "c1"}], [7]):
        collect(world, entries).refused(7)
    expect(alive() == ["c1", "c2", "c3"], f"alive: {alive()}")


@case(60, mutant={"on": "GC", "skip": True})
def gc_with_an_empty_list(world):
    """GC with an empty list removes all of the network"""
    world.require("1.1.0")
    alive = two_networks(world)
    collect(world, []).succeeded()
    expect(alive() == ["c3"], f"alive: {alive()}")


@case(61, mutant={"on": "GC", "after": "rm -f $CONFORMANCE_DIRECTORY/run/attachments/*"}, apus_only=True)
def gc_of_the_young(world):
    """GC leaves a lease that is younger than itself, and one that another process is at work on"""
    world.add(world.config("1.1.0"))
    record = glob.glob(world.subject.run_directory(world) + "/attachments/*.json")[0]
    with open(record) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        collect(world, []).succeeded()
        expect(os.path.exists(record) and "eth0" in world.pod_links(), "a lease that is locked was removed")
    with open(record) as file:
        document = json.load(file)
    document["createdAt"] += 60 * 10**9
    with open(record + ".new", "w") as file:
        json.dump(document, file)
    shutil.move(record + ".new", record)
    collect(world, []).succeeded()
    expect(os.path.exists(record) and "eth0" in world.pod_links(), "a lease that is younger was removed")


@case(62, mutant={"env": {"SPY_DEAF": "GC"}})
def gc_asks_the_delegate(world):
    """GC asks the IPAM plugin, too"""
    world.require("1.1.0")
    collect(world, [], ipam={"type": "spy-ipam"})
    expect("GC" in world.spied("verb"), f"the IPAM plugin was called for {world.spied('verb')}")
