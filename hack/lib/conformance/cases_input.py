"""Rows 1 to 26: the process, the environment, the configuration."""
import json

from case import case
from world import expect


def table(world, rows, verb="ADD", code=None, **more):
    for changes in rows:
        answer = world.call(verb, **{**more, **changes})
        answer.refused(code)


@case(1, mutant={"when": "error", "swap": True})
def results_and_errors_go_to_stdout(world):
    """A result or an error is one JSON document on stdout, and the exit status says which"""
    answer = world.add()
    expect(isinstance(answer.doc, dict) and "cniVersion" in answer.doc, f"no result: {answer}")
    world.call("ADD", "{").refused()
    world.delete()


@case(2, mutant={"when": "error", "repeat": 2})
def an_error_is_one_document(world):
    """An error is exactly one document, whatever failed"""
    world.run("ip link add eth0 type veth peer name other0", world.pod)
    world.call("ADD").refused()
    world.call("ADD", CNI_NETNS=world.host).refused()
    world.call("ADD", CNI_IFNAME="a/b").refused()


@case(3, mutant={"when": "error", "mute": True})
def no_failure_is_silent(world):
    """Every failure has words"""
    for changes in ({"config": ""}, {"CNI_NETNS": "/nowhere"}, {"CNI_CONTAINERID": ""}, {"config": "[]"}):
        expect(world.call("ADD", **changes).refused().message != "", f"no words for {changes}")


@case(4, mutant={"on": "DEL", "hold": 3})
def nobody_holds_the_output(world):
    """Nothing that the plugin leaves running holds its stdout or stderr open"""
    for answer in (world.add(), world.delete(), world.delete()):
        expect(answer.held < 0.5, f"held for {answer.held:.1f} s after the exit")


@case(5, mutant={"ifenv": ["TRACEPARENT", "00"], "fail": True})
def unknown_variables_do_no_harm(world):
    """Variables that nobody knows do no harm"""
    more = {"TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "TRACESTATE": "a=b",
            "BAGGAGE": "c=d", "CNI_NEWER": "x"}
    world.add(**more)
    world.delete(**more)


@case(6, mutant={"exit": 1})
def run_by_hand(world):
    """Without CNI_COMMAND it says on stderr what it is and which versions it has, and succeeds"""
    answer = world.call("", "", CNI_COMMAND=None, CNI_NETNS=None, CNI_IFNAME=None, CNI_CONTAINERID=None, CNI_PATH=None)
    answer.succeeded()
    expect(answer.out == "" and "1.0.0" in answer.err, f"expected words on stderr: {answer}")


@case(7, mutant={"when": "error", "edit": [["code", 999]]})
def an_unknown_command_is_error_4(world):
    """An unknown CNI_COMMAND is error 4"""
    for command in ("TURN", "add", "ADD "):
        world.call(command).refused(4)


@case(8, mutant={"when": "error", "sub": ["CNI_IFNAME", "one more"]})
def missing_variables_are_named_together(world):
    """ADD and CHECK: all missing variables are named at once, with error 4"""
    for verb in ("ADD", "CHECK"):
        config = world.config("1.0.0", prevResult={"cniVersion": "1.0.0"})
        world.call(verb, config, CNI_CONTAINERID="", CNI_IFNAME=None, CNI_NETNS="").refused(
            4, ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS"])


@case(9, mutant={"on": "DEL", "ifenv": ["CNI_NETNS", ""], "fail": True})
def del_needs_no_namespace(world):
    """DEL needs a container id and a link's name, and no namespace"""
    world.call("DEL", CNI_CONTAINERID="", CNI_IFNAME="").refused(4, ["CNI_CONTAINERID", "CNI_IFNAME"])
    world.delete(CNI_NETNS="")
    world.delete(CNI_NETNS=None)


@case(10, mutant={"on": "STATUS", "fail": True})
def gc_and_status_need_a_path_alone(world):
    """GC and STATUS need CNI_PATH alone; the variables of an attachment may be empty"""
    world.require("1.1.0")
    for verb in ("GC", "STATUS"):
        world.call(verb, world.config("1.1.0")).succeeded()
        world.call(verb, world.config("1.1.0"), CNI_PATH="").refused(4, "CNI_PATH")


@case(11, mutant={"on": "VERSION", "ifenv": ["CNI_NETNS", "dummy"], "fail": True})
def version_validates_nothing(world):
    """VERSION takes placeholders for its variables, and an empty stdin"""
    dummies = {"CNI_NETNS": "dummy", "CNI_IFNAME": "dummy", "CNI_PATH": "dummy", "CNI_CONTAINERID": ""}
    for config in ('{"cniVersion":"1.0.0"}', '{"cniVersion":"9.9.9"}', ""):
        answer = world.call("VERSION", config, **dummies).succeeded()
        expect("1.0.0" in (answer.doc or {}).get("supportedVersions", []), f"no versions: {answer}")


@case(12, mutant={"when": "error", "edit": [["code", 7]]})
def container_ids(world):
    """A container id that may hurt a path is error 4 with the id; all that are allowed are taken"""
    for identifier in ("../x", "a b", "_x", "-x", ".x", "a/b", "a:b", "ä"):
        world.call("ADD", CNI_CONTAINERID=identifier).refused(4, identifier)
    for identifier in ("0", "A.b_c-d", "default-" + 56 * "f"):
        world.add(CNI_CONTAINERID=identifier)
        world.delete(CNI_CONTAINERID=identifier)


@case(13, mutant={"when": "error", "edit": [["code", 999]]})
def link_names(world):
    """A link's name that the kernel would refuse is error 4"""
    rows = [{"CNI_IFNAME": name} for name in (".", "..", "a/b", "a:b", "a b", "a\u00a0b", "a\tb", 16 * "x")]
    table(world, rows, code=4)
    world.add(CNI_IFNAME=15 * "x")
    world.delete(CNI_IFNAME=15 * "x")


@case(14, mutant={"when": "error", "edit": [["code", 999]]})
def network_names(world):
    """A network's name that is missing or no identifier is error 7"""
    table(world, [{"config": world.config(name=name)} for name in (None, "", "a b", "../x", "-x")], code=7)


@case(15, mutant={"when": "error", "edit": [["code", 3]]})
def namespaces_that_are_none(world):
    """A namespace that cannot be opened, or is none, is an error, and not one that forgoes DEL"""
    before = world.traces()
    plain = world.path("plain")
    open(plain, "w").close()
    for path in ("/nowhere/at/all", plain, world.directory):
        code = world.call("ADD", CNI_NETNS=path).refused().code
        expect(code != 3, f"error 3 for {path}: the runtime need not send DEL")
        world.delete(CNI_NETNS=path)
    world.untouched(before, "after refused ADDs")


@case(16, mutant={"when": "error", "edit": [["code", 999]]})
def the_plugins_own_namespace(world):
    """The plugin's own namespace is error 8, and nothing was made; with the override it is none"""
    before = world.traces()
    world.call("ADD", CNI_NETNS=world.host).refused(8)
    world.delete(CNI_NETNS=world.host)
    world.untouched(before, "after error 8")
    answer = world.call("ADD", CNI_NETNS=world.host, CNI_NETNS_OVERRIDE="1")
    expect(answer.code != 8, f"the override is ignored: {answer}")


@case(17, mutant={"ifenv": ["CNI_ARGS", "FOO"], "fail": True})
def arguments_nobody_knows(world):
    """CNI_ARGS that nobody knows do no harm, in any order, with IgnoreUnknown or without"""
    world.add(CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=a;K8S_POD_UID=1")
    world.delete(CNI_ARGS="K8S_POD_NAME=a;K8S_POD_UID=1;IgnoreUnknown=1;K8S_POD_NAMESPACE=default")
    world.add(CNI_ARGS="FOO=bar")
    world.delete(CNI_ARGS="FOO=bar")


@case(18, mutant={"env": {"CNI_PATH": "/nowhere"}})
def delegates_are_found_in_the_list(world):
    """A delegate is looked for in every directory of CNI_PATH"""
    config = world.config(ipam={"type": "spy-ipam"})
    world.add(config, CNI_PATH="/nowhere:" + world.tools)
    world.delete(config, CNI_PATH="/nowhere:" + world.tools)


@case(19, mutant={"when": "error", "edit": [["code", 7]]})
def torn_documents(world):
    """A configuration that is no JSON is error 6"""
    for text in ("", "{", '{"cniVersion":', "not json", '{"a":1}{', "\x00"):
        world.call("ADD", text).refused(6)


@case(20, mutant={"on": "ADD", "when": "ok", "edit": [["ip4", None]]})
def versions_unsaid_and_unknown(world):
    """Without a version the result has the form of 0.2.0; a version that is not supported is error 1 naming those that
    are"""
    for version in ("9.9.9", "1.0", "garbage", "0.0.0"):
        world.call("ADD", world.config(version)).refused(1, ["0.4.0", "1.0.0"])
    answer = world.add(world.config(None))
    expect("ip" in answer.doc.get("ip4", {}), f"expected the form of 0.2.0: {answer}")
    world.delete(world.config(None))


@case(21, mutant={"ifstdin": "unheardOf", "fail": True})
def unknown_keys(world):
    """Keys that nobody knows do no harm"""
    config = world.config(unheardOf={"a": [1, None]}, another=5)
    world.add(config)
    world.delete(config)


@case(22, mutant={"ifstdin": "capabilities", "fail": True})
def capabilities_in_the_configuration(world):
    """`capabilities`, which runtimes send though they must not, does no harm"""
    config = world.config(capabilities={"portMappings": True, "ips": True})
    world.add(config)
    world.delete(config)


@case(23, mutant={"on": "ADD", "stdin": {"runtimeConfig": None}})
def the_priority_of_requests(world):
    """An address is asked for by runtimeConfig, before args, before CNI_ARGS"""
    sources = [
        ("10.244.0.22", {}),
        ("10.244.0.21", {"args": {"cni": {"ips": ["10.244.0.21"]}}}),
        ("10.244.0.20", {"args": {"cni": {"ips": ["10.244.0.21"]}}, "runtimeConfig": {"ips": ["10.244.0.20/26"]}}),
    ]
    for expected, members in sources:
        config = world.config(**members)
        answer = world.add(config, CNI_ARGS="IgnoreUnknown=1;IP=10.244.0.22")
        expect(answer.address == expected, f"expected {expected}: {answer}")
        world.delete(config, CNI_ARGS="IgnoreUnknown=1;IP=10.244.0.22")


@case(24, mutant={"ifstdin": "CNIVersion", "fail": True})
def keys_in_any_case(world):
    """Go's field names count in any case, and null is absent"""
    config = world.config(
        args=None, dns={"Servers": None, "Nameservers": ["192.0.2.53"], "Options": None},
        runtimeConfig={"portMappings": None, "ips": None, "mac": None, "bandwidth": None})
    config["prevResult"] = config["args"] = None
    renamed = {"cniVersion": "CNIVersion", "name": "Name", "mtu": "MTU", "dns": "DNS", "runtimeConfig": "RuntimeConfig"}
    config = {renamed.get(name, name): value for name, value in config.items()}
    answer = world.add(config)
    expect(answer.doc["cniVersion"] == "1.0.0", f"the version was not read: {answer}")
    expect(answer.doc.get("dns", {}).get("nameservers") == ["192.0.2.53"], f"dns was not read: {answer}")
    world.delete(config)


@case(24, mutant={"on": "ADD", "stdin": {"runtimeConfig": {}}})
def ips_in_gos_case(world):
    """A request in Go's case counts as well"""
    config = world.config(runtimeConfig={"IPs": ["10.244.0.23/26"]})
    answer = world.add(config)
    expect(answer.address == "10.244.0.23", f"the request was not read: {answer}")


@case(25, mutant={"ifstdin": "disableCheck", "fail": True})
def the_runtimes_own_keys(world):
    """The keys of runtimes alone, and those that are reserved, do no harm to ADD and DEL"""
    config = world.config(
        disableCheck=True, disableGC=True, cniVersions=["0.4.0", "1.0.0"], loadOnlyInlinedPlugins=True)
    config["cni.dev/valid-attachments"] = []
    world.add(config)
    world.delete(config)


@case(26, mutant={"on": "ADD", "when": "ok", "edit": [["dns", None]]})
def dns_is_passed_on(world):
    """dns of the configuration is in the result; an empty one is left out"""
    dns = {"nameservers": ["192.0.2.53"], "domain": "example", "search": ["a", "b"], "options": ["ndots:5"]}
    answer = world.add(world.config(dns=dns))
    expect(answer.doc.get("dns") == dns, f"expected {json.dumps(dns)}: {answer}")
    world.delete()
    answer = world.add(world.config(dns={}))
    expect(answer.doc.get("dns", {}) == {}, f"expected no dns: {answer}")
