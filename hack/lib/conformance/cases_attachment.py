"""Rows 27 to 43: ADD and DEL."""
import concurrent.futures
import os
import time

from case import case
from world import MS_BIND, VERSIONS, expect, mount


@case(27, mutant={"on": "ADD", "when": "error", "after": "ip link add leak0 type veth peer name leak1"})
def a_name_that_is_taken(world):
    """ADD where the link's name is taken fails, and nothing is leaked"""
    world.run("ip link add eth0 type veth peer name other0", world.pod)
    before, links = world.traces(), world.pod_links()
    world.call("ADD").refused()
    world.untouched(before, "after the refused ADD")
    expect(world.pod_links() == links, "the pod's links have changed")


@case(28, mutant={"on": "ADD", "nth": 2, "skip": True})
def a_second_add(world):
    """A second ADD of one attachment is refused, and the first one stays as it is"""
    world.add()
    before, links = world.traces(), world.pod_links()
    world.call("ADD").refused()
    world.untouched(before, "after the second ADD")
    expect(world.pod_links() == links, "the pod's links have changed")


@case(29, mutant={"env": {"SPY_DEAF": "DEL"}})
def a_failed_add_takes_back_the_delegates(world):
    """After an ADD that failed the IPAM plugin is asked to take its address back"""
    config = world.config(ipam={"type": "spy-ipam"})
    world.run("ip link add eth0 type veth peer name other0", world.pod)
    before = world.traces()
    world.call("ADD", config).refused()
    verbs = world.spied("verb")
    expect(not verbs or verbs[-1] == "DEL", f"the IPAM plugin was called for {verbs}")
    world.untouched(before, "after the refused ADD")
    # A name that is taken may be seen before any delegate is asked; an MTU that the kernel refuses is not.
    config = world.config(ipam={"type": "spy-ipam", "spoilt": True}, mtu=67)
    world.call("ADD", config, CNI_IFNAME="eth1")
    verbs = world.spied("verb")
    expect(verbs.count("ADD") <= verbs.count("DEL"), f"the IPAM plugin was called for {verbs}")
    world.add(world.config(ipam={"type": "spy-ipam"}), CNI_IFNAME="eth2")
    world.delete(world.config(ipam={"type": "spy-ipam"}), CNI_IFNAME="eth2")
    expect(world.spied("verb")[-2:] == ["ADD", "DEL"], f"the IPAM plugin was called for {world.spied('verb')}")


@case(30, mutant={"on": "DEL", "before": "nsenter --net=$CNI_NETNS ip link del eth0"})
def del_after_a_refused_add(world):
    """DEL after an ADD that was refused harms no link that was there before"""
    world.run("ip link add eth0 type veth peer name other0", world.pod)
    world.call("ADD").refused()
    world.delete()
    expect("eth0" in world.pod_links(), "DEL has removed a link that ADD had not made")


@case(31, mutant={"on": "ADD", "edit": [["interfaces", 0, None]]})
def results_are_merged(world):
    """The result of plugins earlier in the chain is passed on, with this one's behind it"""
    earlier = {
        "cniVersion": "1.0.0", "interfaces": [{"name": "first0"}],
        "ips": [{"address": "192.0.2.7/24", "interface": 0}], "routes": [{"dst": "192.0.2.0/24"}], "dns": {}}
    answer = world.add(world.config(prevResult=earlier))
    names = [link["name"] for link in answer.doc["interfaces"]]
    expect(names[0] == "first0" and "eth0" in names[1:], f"expected first0 and then eth0: {names}")
    addresses = [ip["address"] for ip in answer.doc["ips"]]
    expect(addresses[0] == "192.0.2.7/24" and len(addresses) == 2, f"expected two addresses: {addresses}")
    expect(names[answer.doc["ips"][1]["interface"]] == "eth0", "the address names another link")


@case(32, mutant={"on": "ADD", "edit": [["cniVersion", "0.1.0"]]})
def every_version_answers_in_its_own(world):
    """A result is in the version of the configuration, and so is an error"""
    for version in VERSIONS:
        world.require(version)
        answer = world.add(world.config(version))
        expect(answer.doc["cniVersion"] == version, f"expected {version}: {answer}")
        error = world.call("ADD", world.config(version)).refused()
        expect(error.doc.get("cniVersion") == version, f"expected {version}: {error}")
        world.delete(world.config(version))


@case(33, mutant={"on": "ADD", "edit": [["interfaces", 0, "sandbox", "/x"]]})
def both_ends_are_listed(world):
    """The host's end is listed without a sandbox, the container's with CNI_NETNS as it was given"""
    links = world.add().doc["interfaces"]
    pod = [link for link in links if link.get("sandbox") == world.pod]
    host = [link for link in links if not link.get("sandbox")]
    expect(len(pod) == 1 and pod[0]["name"] == "eth0", f"expected eth0 with {world.pod}: {links}")
    expect(len(host) == 1, f"expected one link of the host: {links}")
    expect(pod[0]["mac"] in world.pod_links(), f"the MAC is another: {pod}")
    expect(host[0]["name"] in world.run("ip -o link"), f"no such link on the host: {host}")


@case(34, mutant={"on": "ADD", "edit": [["ips", 0, "interface", 0]]})
def addresses_name_their_link(world):
    """Every address names the container's link"""
    doc = world.add().doc
    for ip in doc["ips"]:
        link = doc["interfaces"][ip["interface"]]
        expect(link["name"] == "eth0" and link.get("sandbox") == world.pod, f"{ip} is on {link}")


@case(35, mutant={"on": "ADD", "after": "sleep 1.2"})
def no_wait_for_duplicates(world):
    """An IPv6 address works when ADD returns, and ADD has not waited for it"""
    world.subject.prepare(world, families=(4, 6))
    answer = world.add()
    shown = world.run("ip -6 -o addr show dev eth0 scope global", world.pod)
    expect("fd00:10::" in shown and "tentative" not in shown, f"expected a working address: {shown!r}")
    expect(answer.seconds < 1, f"ADD took {answer.seconds:.1f} s")


@case(36, mutant={"on": "DEL", "ifenv": ["CNI_NETNS", "nowhere"], "fail": True})
def del_forgives(world):
    """DEL succeeds when the namespace, the link or the lease is gone, and for what was never added"""
    world.delete(CNI_CONTAINERID="never")
    world.delete(CNI_CONTAINERID="never", CNI_NETNS="/nowhere")
    world.add()
    world.run("ip link del eth0", world.pod)
    world.delete()
    world.add()
    world.subject.lose_lease(world)
    world.delete()
    expect("eth0" not in world.pod_links(), "the link is there after DEL")
    plain = world.path("plain")
    open(plain, "w").close()
    world.delete(CNI_NETNS=plain)


@case(37, mutant={"on": "DEL", "nth": 2, "fail": True})
def del_as_often_as_it_comes(world):
    """DEL may come again, with an empty namespace and without a result, as containerd sends it"""
    before = world.traces()
    result = world.add().doc
    world.delete(world.config(prevResult=result))
    for _ in range(3):
        world.delete(CNI_NETNS="")
    world.untouched(before, "after four DELs")


@case(38, mutant={"on": "DEL", "ifstdin": "later0", "fail": True})
def del_takes_the_chains_result(world):
    """DEL takes the final result of the chain, with other plugins' parts"""
    before = world.traces()
    result = world.add().doc
    result["interfaces"].append({"name": "later0", "sandbox": world.pod})
    result["ips"].append({"address": "192.0.2.9/24", "interface": len(result["interfaces"]) - 1})
    world.delete(world.config(prevResult=result))
    world.untouched(before, "after DEL")


@case(39, mutant={"on": "DEL", "skip": True})
def del_after_the_namespace(world):
    """The lease is free after a DEL that comes when the namespace is gone"""
    before = world.traces()
    world.add()
    world.drop_pod(world.pod)
    world.delete()
    expect(world.subject.leases(world) == before["leases"], f"left: {world.subject.leases(world)}")


@case(40, mutant={"on": "DEL", "env": {"CNI_IFNAME": "eth0"}})
def leases_have_keys(world):
    """A lease is its network's, container's and link's: DEL of another leaves it"""
    other = world.make_pod("other")
    first = world.add().address
    second = world.add(CNI_IFNAME="net1", CNI_NETNS=other).address
    expect(first != second, f"{first} was given twice")
    world.delete(CNI_CONTAINERID="c2")
    world.delete(world.config(name="other"))
    both = world.subject.leases(world)
    expect("eth0" in world.pod_links() and "net1" in world.pod_links(other), "DEL has taken another's link")
    world.delete(CNI_IFNAME="net1", CNI_NETNS=other)
    expect("eth0" in world.pod_links() and "net1" not in world.pod_links(other), "DEL has taken the wrong link")
    left = world.subject.leases(world)
    expect(0 < len(left) < len(both), f"leases of two: {both}, of one: {left}")


@case(41, mutant={"on": "DEL", "fail": True})
def del_needs_no_daemon(world):
    """DEL works without the daemon and without what the daemon has written"""
    before = world.traces()
    world.add()
    if world.subject.is_apus:
        os.remove(world.subject.run_directory(world) + "/node.json")
    world.delete()
    world.untouched(before, "after DEL")


@case(42, mutant={"on": "ADD", "nth": 2, "env": {"CNI_ARGS": ""}})
def the_network_is_reloaded(world):
    """DEL and ADD at once in the same namespace, with the old address and MAC in CNI_ARGS, bring both back"""
    first = world.add()
    mac = next(link["mac"] for link in first.doc["interfaces"] if link.get("sandbox"))
    mac = "02:11:22:33:44:55" if mac.startswith("0a") else "0a" + mac[2:]
    world.delete()
    arguments = f"IgnoreUnknown=1;K8S_POD_NAME=a;IP={first.address};MAC={mac}"
    second = world.add(CNI_ARGS=arguments)
    expect(second.address == first.address, f"expected {first.address}: {second}")
    expect(mac in world.pod_links(), f"expected MAC {mac}: {world.pod_links()}")


@case(43, mutant={"on": "DEL", "stdin": {"name": "another"}})
def the_configuration_has_changed(world):
    """DEL works with a configuration of another age: fewer keys, another version, a key of a wrong type"""
    config = world.config()
    needed = ("cniVersion", "name", "type", "runDir", "ipam")
    for version, spoil in (("1.0.0", {}), ("0.4.0", {}), ("1.0.0", {"dns": {"nameservers": []}})):
        before = world.traces()
        world.add()
        older = {name: value for name, value in config.items() if name in needed}
        world.delete({**older, "cniVersion": version, **spoil})
        world.untouched(before, "after DEL")


@case(76, mutant={"on": "ADD", "sub": [r"10\.244\.0\.\d+", "10.244.0.9"]})
def many_at_once(world):
    """Sixteen ADDs at once give sixteen addresses, sixteen DELs at once take them back"""
    before = world.traces()
    pods = [world.make_pod(f"pod{number}") for number in range(16)]

    def each(verb):
        def one(number):
            return world.call(verb, CNI_CONTAINERID=f"many{number}", CNI_NETNS=pods[number]).succeeded()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            return list(pool.map(one, range(16)))

    addresses = [answer.address for answer in each("ADD")]
    expect(len(set(addresses)) == 16, f"given twice: {sorted(addresses)}")
    each("DEL")
    world.untouched(before, "after all DELs")


@case(77, mutant={"on": "DEL", "skip": True})
def killed_at_any_time(world):
    """After an ADD that is killed, DEL and ADD work and nothing is left"""
    before = world.traces()

    def kill_after(seconds):
        def kill(process):
            time.sleep(seconds)
            process.kill()
        return kill

    for step in range(12):
        world.call("ADD", during=kill_after(step * 0.0007))
        world.delete()
        world.untouched(before, f"killed after {step * 0.7:.1f} ms, then DEL")
    world.add()
    world.delete()
    world.untouched(before, "after the last DEL")


@case(78, mutant={"on": "ADD", "nth": 2, "fail": True})
def leases_end_with_the_boot(world):
    """A lease of the boot before does not count"""
    world.subject.prepare(world, size="small")
    first = world.add().address
    world.drop_pod(world.pod)
    for line in world.run("ip -o link").splitlines():
        name = line.split(":")[1].split("@")[0].strip()
        if name != "lo":
            world.run(f"ip link del {name}", check=False)
    fresh = world.path("boot_id")
    with open(fresh, "w") as file:
        file.write("11111111-2222-3333-4444-555555555555\n")
    mount(fresh, "/proc/sys/kernel/random/boot_id", MS_BIND)
    world.subject.reboot(world)
    answer = world.call("ADD", CNI_CONTAINERID="c2", CNI_NETNS=world.make_pod("pod2"))
    expect(answer.status == 0 and answer.address == first, f"expected {first} again: {answer}")
