"""Rows 63 to 79: VERSION, the forms of results and errors, delegation, capabilities."""
import re

from case import case
from world import VERSIONS, NotApplicable, expect

NEWER = [version for version in VERSIONS if version >= "0.3.0"]


def results(world, versions):
    """The result of each version, the attachment being taken back each time."""
    for version in world.supported(versions):
        yield version, world.add(world.config(version)).doc
        world.delete(world.config(version))


@case(63, mutant={"on": "VERSION", "edit": [["supportedVersions", 0, None]]})
def all_versions(world):
    """VERSION lists every version from 0.1.0 to 1.1.0, and has one of its own"""
    doc = world.call("VERSION", '{"cniVersion":"0.4.0"}').succeeded().doc
    expect(doc.get("cniVersion"), f"no cniVersion: {doc}")
    missing = [version for version in VERSIONS if version not in doc.get("supportedVersions", [])]
    expect(not missing, f"missing: {missing}")


@case(63, mutant={"on": "VERSION", "edit": [["cniVersion", "1.0.1"]]})
def the_version_is_echoed(world):
    """VERSION answers in the version that it was asked in"""
    for version in VERSIONS:
        doc = world.call("VERSION", f'{{"cniVersion":"{version}"}}').succeeded().doc
        expect(doc["cniVersion"] == version, f"asked in {version}: {doc}")


@case(64, mutant={"on": "ADD", "edit": [["interfaces", []]]})
def the_form_of_0_2_0(world):
    """0.1.0, 0.2.0: ip4 and ip6 with one address each, their routes, dns; no links"""
    world.subject.prepare(world, families=(4, 6))
    for version, doc in results(world, ["0.1.0", "0.2.0"]):
        expect(set(doc) <= {"cniVersion", "ip4", "ip6", "dns"}, f"{version} has {sorted(doc)}")
        expect({"ip4", "ip6", "dns"} <= set(doc), f"{version} has only {sorted(doc)}")
        for family in ("ip4", "ip6"):
            expect("/" in doc[family]["ip"], f"{doc[family]} has no address")
            expect(all("dst" in route for route in doc[family].get("routes", [])), f"{doc[family]}")


@case(65, mutant={"on": "ADD", "edit": [["ips", 0, "version", None]]})
def the_form_of_0_4_0(world):
    """0.3.0 to 0.4.0: links, addresses with their family, routes, and dns in any case"""
    for version, doc in results(world, ["0.3.0", "0.3.1", "0.4.0"]):
        expect({"interfaces", "ips", "dns"} <= set(doc), f"{version} has only {sorted(doc)}")
        expect(all(ip.get("version") == "4" for ip in doc["ips"]), f"{version}: {doc['ips']}")


@case(66, mutant={"on": "ADD", "edit": [["ips", 0, "version", "4"]]})
def the_form_of_1_0_0(world):
    """1.0.0 and later: addresses without a family"""
    for version, doc in results(world, ["1.0.0", "1.1.0"]):
        expect(all("version" not in ip for ip in doc["ips"]), f"{version}: {doc['ips']}")


@case(67, mutant={"on": "ADD", "sub": ['"mtu": *\\d+', '"mtu": "1500"']})
def the_form_of_1_1_0(world):
    """1.1.0: the MTU of links is told"""
    for _, doc in results(world, ["1.1.0"]):
        link = next(link for link in doc["interfaces"] if link.get("sandbox"))
        expect(link.get("mtu") == 1500, f"expected an MTU of 1500: {link}")


@case(68, mutant={"on": "ADD", "edit": [["interfaces", 0, "mtu", 1500]]})
def older_forms_have_no_newer_members(world):
    """Before 1.1.0 no link has an MTU, a socket or a PCI id, no route more than its way"""
    for version, doc in results(world, [version for version in NEWER if version < "1.1.0"]):
        for link in doc["interfaces"]:
            expect(set(link) <= {"name", "mac", "sandbox"}, f"{version}: {link}")
        for route in doc.get("routes", []):
            expect(set(route) <= {"dst", "gw"}, f"{version}: {route}")


@case(69, mutant={"on": "ADD", "sub": ["/(26|32)", ""]})
def addresses_have_a_length(world):
    """An address has its length, and a route that leads to a gateway names it"""
    for version, doc in results(world, NEWER):
        for ip in doc["ips"]:
            expect(re.fullmatch(r"[0-9.]+/\d+", ip["address"]), f"{version}: {ip}")
            shown = world.run("ip -4 -o addr show dev eth0", world.pod)
            expect(ip["address"] in shown, f"{ip['address']} is not what the link has: {shown}")
        gateways = [ip.get("gateway") for ip in doc["ips"]] + [route.get("gw") for route in doc.get("routes", [])]
        expect(any(gateways), f"{version} names no gateway: {doc}")


@case(70, mutant={"on": "DEL", "ifstdin": "prevResult", "fail": True})
def results_come_back_in_their_version(world):
    """The result of each version comes back with DEL in that version"""
    before = world.traces()
    for version in world.supported(NEWER):
        doc = world.add(world.config(version)).doc
        world.delete(world.config(version, prevResult=doc))
        world.untouched(before, f"after DEL in {version}")


@case(71, mutant={"on": "ADD", "edit": [["ips", 0, "interface", 0]]})
def the_result_of_an_ipam_plugin(world):
    """The IPAM plugin's own result has no links"""
    if not world.ipam_program:
        raise NotApplicable("there is no IPAM plugin beside it")
    config = world.config(ipam=world.config().get("ipam", {"type": "apus-ipam"}))
    answer = world.call("ADD", config, program=world.ipam_program).succeeded()
    expect("interfaces" not in answer.doc, f"expected no links: {answer}")
    expect(answer.doc["ips"] and all("interface" not in ip for ip in answer.doc["ips"]), f"{answer}")
    world.call("DEL", config, program=world.ipam_program).succeeded()


@case(72, mutant={"on": "ADD", "sub": ['("interface": *\\d+)', "\\1.0"]})
def numbers_are_integers(world):
    """Numbers are written as integers"""
    texts = [world.add(world.config("1.1.0" if world.supports("1.1.0") else "1.0.0")).out, world.call("ADD").out]
    for text in texts:
        bare = re.sub(r'"(\\.|[^"\\])*"', '""', text)
        expect(not re.search(r"\d[.eE]", bare), f"a number with a fraction: {text}")


@case(73, mutant={"when": "error", "edit": [["cniVersion", None]]})
def the_form_of_an_error(world):
    """An error has its version, an integer for a code, which is the specification's or above 99, and words"""
    known = {1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51}
    for config, changes in ((None, {"CNI_NETNS": "/nowhere"}), ("{", {}), (world.config(name="a b"), {})):
        doc = world.call("ADD", config, **changes).refused().doc
        expect(isinstance(doc.get("cniVersion"), str), f"no version: {doc}")
        expect(isinstance(doc["code"], int) and (doc["code"] in known or doc["code"] > 99), f"the code: {doc}")
        expect(isinstance(doc.get("msg"), str), f"no words: {doc}")
        expect(isinstance(doc.get("details", ""), str), f"the details: {doc}")


@case(74, mutant={"when": "error", "edit": [["msg", "wrong"], ["details", None]]})
def errors_name_what_is_wrong(world):
    """An error names the variable, or the key and its value"""
    world.call("ADD", CNI_IFNAME="a/b").refused(4, ["CNI_IFNAME" if world.subject.is_apus else "interface name", "a/b"])
    world.call("ADD", world.config(mtu="nine")).refused(None, ["mtu", "nine" if world.subject.is_apus else "string"])


@case(75, mutant={"on": "ADD", "stdin": {"extra": None}})
def delegates_get_all(world):
    """A delegate gets the same variables and the whole configuration"""
    config = world.config(ipam={"type": "spy-ipam", "own": 1}, extra={"a": [1]})
    arguments = "IgnoreUnknown=1;K8S_POD_NAME=a"
    answer = world.add(config, CNI_ARGS=arguments)
    expect(answer.address == "10.244.0.40", f"expected the delegate's address: {answer}")
    expect("a word on stderr" in answer.err, f"the delegate's stderr is not passed on: {answer}")
    world.delete(config, CNI_ARGS=arguments)
    expect(world.spied("verb") == ["ADD", "DEL"], f"the delegate was called for {world.spied('verb')}")
    for seen, environment in zip(world.spied("config"), world.spied("env")):
        expect(seen.get("extra") == {"a": [1]} and seen["ipam"]["own"] == 1, f"the delegate got {seen}")
        wanted = {"CNI_CONTAINERID": "c1", "CNI_NETNS": world.pod, "CNI_IFNAME": "eth0", "CNI_ARGS": arguments}
        expect(wanted.items() <= environment.items(), f"the delegate got {environment}")


@case(75, mutant={"on": "ADD", "when": "error", "exit": 0})
def delegates_are_names(world):
    """A delegate with a slash in its name, or that is not there, is an error"""
    before = world.traces()
    for name in ("../spy-ipam", "a/b", world.tools + "/spy-ipam", "none-such"):
        world.call("ADD", world.config(ipam={"type": name})).refused()
        expect(world.spied("verb") == [], f"{name} was run")
    world.untouched(before, "after the refused ADDs")


@case(79, mutant={"on": "ADD", "ifstdin": "runtimeConfig", "skip": True})
def capabilities_that_cannot_be_honoured(world):
    """A capability that is asked for and cannot be honoured is an error"""
    wishes = [
        {"portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]},
        {"bandwidth": {"IngressRate": 1000, "IngressBurst": 4294967295, "EgressRate": 1000, "EgressBurst": 4294967295}},
        {"infinibandGUID": "c2:11:22:33:44:55:66:77"},
    ]
    before = world.traces()
    for wish in wishes:
        answer = world.call("ADD", world.config(capabilities={next(iter(wish)): True}, runtimeConfig=wish))
        if answer.status == 0:
            world.delete()
        expect(answer.status != 0, f"{next(iter(wish))} was asked for, and passed over in silence")
    world.untouched(before, "after the refused ADDs")
    world.add(world.config(runtimeConfig={"mac": "02:11:22:33:44:55"}))
    expect("02:11:22:33:44:55" in world.pod_links(), "the MAC that was asked for is not the link's")
