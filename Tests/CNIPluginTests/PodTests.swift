import CNISpec
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import PodPlan
import TestKit
import Testing

@testable import CNIPlugin

@Suite("Pods", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct PodTests {
    static let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")
    static let hostName = HostLinkName.name(for: key, podNamespace: nil, podName: nil)

    @Test("ADD makes the whole link, without a daemon, and DEL takes it away")
    func addAndDelete() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.address == "10.244.0.1/32")
            let name = Self.hostName
            #expect(try fixture.host("route show proto 97") == "10.244.0.1 dev \(name) scope link \n")
            #expect(try fixture.host("neigh show dev \(name)").contains("10.244.0.1 lladdr"))
            #expect(try fixture.host("neigh show dev \(name)").contains("PERMANENT"))
            let link = try fixture.host("link show \(name)")
            #expect(link.contains("alias apus:net:c1:eth0"))
            #expect(link.contains("ee:ee:ee:ee:ee:ee"))
            #expect(link.contains("mtu 1500"))
            let settings = [("proxy_arp", "1"), ("forwarding", "1"), ("rp_filter", "1")]
            for (setting, value) in settings {
                #expect(try Sysctl.read(["net", "ipv4", "conf", name, setting]) == value)
            }
            #expect(try Sysctl.read(["net", "ipv4", "neigh", name, "proxy_delay"]) == "0")
            let routes = try fixture.inPod("ip route")
            #expect(routes.contains("default via 169.254.1.1 dev eth0"))
            #expect(routes.contains("169.254.1.1 dev eth0 scope link"))
            #expect(try fixture.inPod("ip addr show dev eth0").contains("inet 10.244.0.1/32"))
            #expect(try fixture.inPod("ip neigh").contains("169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee PERMANENT"))

            let record = try #require(try fixture.plugin.store.attachment(Self.key))
            #expect(record.state == .complete)
            #expect(record.hostLink == name)
            #expect(record.hostLinkIndex != 0)

            #expect(fixture.plugin.call("DEL") == CNIPlugin.Outcome(answer: nil, status: 0))
            #expect(try fixture.isUntouched())
        }
    }

    @Test("The result names both ends")
    func result() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let outcome = fixture.plugin.call(
                "ADD", config: ("cniVersion", "1.1.0"), ("mtu", 1400), ("dns", ["domain": "d"]))
            let link = try #require(LinkAlias(Self.key)).key
            let mac = PodLink(alias: try #require(LinkAlias(link)), hostName: "", addresses: [], mtuBytes: 0).podMAC
            #expect(
                outcome.answer == [
                    "cniVersion": "1.1.0",
                    "interfaces": [
                        ["name": .string(Self.hostName), "mac": "ee:ee:ee:ee:ee:ee", "mtu": 1400],
                        [
                            "name": "eth0", "mac": .string(mac.description), "mtu": 1400,
                            "sandbox": .string(fixture.plugin.netns),
                        ],
                    ],
                    "ips": [["interface": 1, "address": "10.244.0.1/32"]],
                    "routes": [["dst": "0.0.0.0/0", "gw": "169.254.1.1"]], "dns": ["domain": "d"],
                ])
            let pod = try fixture.inPod("ip link show eth0")
            #expect(pod.contains("mtu 1400"))
            #expect(pod.contains(mac.description))
        }
    }

    @Test("A packet goes from the pod to the host and back, with no route of the host's to 169.254.1.1")
    func ping() async throws {
        try await PodFixture.run { fixture in
            _ = try fixture.host("addr add 192.0.2.1/32 dev lo")
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").status == 0)
            try fixture.settle()
            #expect(try fixture.inPod("ping -c 3 -i 0.2 -W 2 192.0.2.1").contains(" bytes from "))
        }
    }

    @Test("Where IPv6 is turned off, on the host or in the pod, a pod with an IPv6 address has it on its link")
    func disabledIPv6() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState(isDualStack: true)
            let off = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"
            _ = try Command.run(["sysctl", "-q", "-w"] + off.split(separator: " ").map(String.init))
            try fixture.inPod("sysctl -q -w \(off)")
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try fixture.inPod("ip -6 addr show dev eth0").contains("fd00:10::1/128"))
            #expect(try fixture.inPod("ip -6 route").contains("default via fe80::ecee:eeff:feee:eeee dev eth0"))
            let addresses = try fixture.host("-6 -o addr show dev \(Self.hostName)")
            #expect(addresses.contains("fe80::ecee:eeff:feee:eeee/64"))
            #expect(addresses.split(separator: "\n").count == 1, "\(addresses)")
            if let result = outcome.answer {
                #expect(fixture.plugin.call("CHECK", config: ("prevResult", result)).status == 0)
            }
            #expect(try Sysctl.read(["net", "ipv6", "conf", "all", "disable_ipv6"]) == "1")
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("An IPv4 pod's link may be smaller than IPv6 allows; with an IPv6 address it is error 7, and STATUS says so")
    func smallMTU() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let outcome = fixture.plugin.call("ADD", config: ("mtu", 1200))
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try fixture.inPod("ip link show eth0").contains("mtu 1200"))
            #expect(fixture.plugin.call("DEL").status == 0)
            try fixture.plugin.writeNodeState(isDualStack: true)
            let refused = fixture.plugin.call("ADD", config: ("mtu", 1279))
            #expect(refused.code == 7)
            #expect(refused.message.contains("1280"))
            #expect(try fixture.isUntouched())
            let status = fixture.plugin.call("STATUS", "", config: ("cniVersion", "1.1.0"), ("mtu", 1279))
            #expect(status.code == 50)
            #expect(status.message.contains("1280"))
        }
    }

    @Test("A pod has an address of each family that has a pool")
    func dualStack() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState(isDualStack: true)
            _ = try fixture.host("addr add 2001:db8::1/128 dev lo")
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.status == 0, "\(outcome)")
            let addresses = outcome.answer?.object?["ips"]?.array?.compactMap { $0.object?["address"]?.string }
            #expect(addresses == ["10.244.0.1/32", "fd00:10::1/128"])
            #expect(try fixture.host("-6 route show proto 97").contains("fd00:10::1 dev \(Self.hostName)"))
            #expect(try fixture.inPod("ip -6 route").contains("default via fe80::ecee:eeff:feee:eeee dev eth0"))
            let link = try fixture.host("-6 addr show dev \(Self.hostName)")
            #expect(link.contains("fe80::ecee:eeff:feee:eeee/64"))
            #expect(!link.contains("tentative"))
            try fixture.settle()
            #expect(try fixture.inPod("ping -6 -c 3 -i 0.2 -W 2 2001:db8::1").contains(" bytes from "))
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
            #expect(try fixture.host("-6 route show proto 97").isEmpty)
        }
    }

    @Test("DEL and ADD again in the same namespace work, and the address is used again as late as possible")
    func addAgain() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState(blocks: ["10.244.0.0/30"])
            for round in 0..<4 {
                #expect(fixture.plugin.call("ADD").address == "10.244.0.\(1 + round % 3)/32")
                #expect(fixture.plugin.call("DEL").status == 0)
            }
        }
    }

    @Test("A Kubernetes pod's link has Calico's name, and DEL finds it without the arguments")
    func kubernetesName() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            fixture.plugin.arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx"
            #expect(fixture.plugin.call("ADD").status == 0)
            #expect(try fixture.hostLinks() == ["calic440f455693"])
            fixture.plugin.arguments = ""
            fixture.plugin.netns = ""
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("The next sandbox of a pod is added while the former lives, and each has its own DEL, records or none")
    func nextSandbox() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            fixture.plugin.arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx"
            #expect(fixture.plugin.call("ADD", "former").status == 0)
            try fixture.inPod("ip link set eth0 down")
            try fixture.inPod("ip link set eth0 name eth9")
            let outcome = fixture.plugin.call("ADD", "latter")
            #expect(outcome.status == 0, "\(outcome)")
            let key = AttachmentKey(network: "net", containerID: "latter", ifName: "eth0")
            let name = HostLinkName.name(for: key, podNamespace: nil, podName: nil)
            #expect(try Set(fixture.hostLinks()) == ["calic440f455693", name])
            #expect(fixture.plugin.call("DEL", "former").status == 0)
            #expect(try fixture.hostLinks() == [name])
            _ = try Command.run(["rm", "-r", fixture.plugin.runDirectory])
            #expect(fixture.plugin.call("DEL", "latter").status == 0)
            #expect(try fixture.hostLinks().isEmpty)
        }
    }

    /// The other sandbox's ADD makes its link after this one has looked for the name, or marks it after this one has
    /// seen it.
    @Test(
        "Two sandboxes of a pod that are added at once meet one name: the second is called after its key",
        arguments: [true, false])
    func sandboxesAtOnce(isMadeLater: Bool) async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            let name = "calic440f455693"
            let make = "ip link add \(name) address ee:ee:ee:ee:ee:ee type veth peer name former0"
            let mark = "ip link set \(name) alias apus:net:former:eth0"
            let answer = #"{"cniVersion":"1.0.0","ips":[{"address":"10.99.0.5/32"}]}"#
            let script = "#!/bin/sh\n[ $CNI_COMMAND = ADD ] || exit 0\n\(make)\n\(mark)\necho '\(answer)'\n"
            _ = try directory.makeProgram("meanwhile", script)
            fixture.plugin.pluginPath = directory.path
            fixture.plugin.arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx"
            try fixture.plugin.writeNodeState()
            let outcome: CNIPlugin.Outcome
            if isMadeLater {
                outcome = fixture.plugin.call("ADD", config: ("ipam", ["type": "meanwhile"]))
            } else {
                try Command.run(["/bin/sh", "-c", "\(make); (sleep 0.05; \(mark)) > /dev/null 2>&1 &"])
                outcome = fixture.plugin.call("ADD")
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try Set(fixture.hostLinks()) == [name, Self.hostName])
            #expect(try fixture.plugin.store.attachment(Self.key)?.hostLink == Self.hostName)
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try Set(fixture.hostLinks()) == [name])
            #expect(try fixture.plugin.isEmpty())
        }
    }

    @Test("A DEL that finds no record, and then one that the store was made again with, deletes what that says")
    func deleteWhileMadeAgain() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").status == 0)
            _ = try Command.run(["rm", "-r", fixture.plugin.runDirectory])
            try fixture.plugin.writeNodeState()
            let pod = try fixture.makeOtherPod()
            var other = fixture.plugin
            other.netns = "/proc/self/fd/\(pod.descriptor.rawValue)"
            #expect(other.call("ADD", "c2").status == 0)
            #expect(try fixture.plugin.store.attachment(Self.key) != nil)
            let variables = ["CNI_COMMAND": "DEL", "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0", "CNI_PATH": "/"]
            let config: JSONValue = [
                "cniVersion": "1.0.0", "name": "net", "type": "apus", "runDir": .string(fixture.plugin.runDirectory),
            ]
            let call = try PluginCall(
                environment: CNIEnvironment { variables[$0] }, config: NetworkConfig(config, for: .delete))
            try DeleteCommand(call).deleteUnrecorded()
            #expect(try fixture.plugin.store.attachments().map(\.key.containerID) == ["c2"])
            #expect(try !fixture.hostLinks().contains(Self.hostName))
            withExtendedLifetime(pod) {}
        }
    }

    @Test("DEL finds the link by its name and alias when the store is gone")
    func deleteWithoutStore() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").status == 0)
            _ = try Command.run(["rm", "-r", fixture.plugin.runDirectory])
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }
}
