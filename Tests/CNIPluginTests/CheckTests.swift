import CNIPlugin
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import TestKit
import Testing

@Suite("CHECK", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct CheckTests {
    /// Something done behind the plugin's back, and the words it is named by.
    struct Mutation: Sendable, CustomTestStringConvertible {
        let words: String
        let commands: [String]

        init(_ words: String, _ commands: String...) {
            self.words = words
            self.commands = commands
        }

        var testDescription: String { words }
    }

    /// HOST stands for the host end's name; a command that begins with `pod` runs in the pod.
    static let mutations = [
        Mutation("pod link eth0 is missing", "pod ip link set eth0 down", "pod ip link set eth0 name net0"),
        Mutation("address 10.244.0.1/32 of pod link eth0 is missing", "pod ip addr del 10.244.0.1/32 dev eth0"),
        Mutation("pod route 169.254.1.1/32 dev eth0 is missing", "pod ip route del 169.254.1.1"),
        Mutation("pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 is missing", "pod ip route del default"),
        Mutation("pod neighbour 169.254.1.1 dev eth0 is missing", "pod ip neigh del 169.254.1.1 dev eth0"),
        Mutation("MTU of pod link eth0 is 1280, not 1500", "pod ip link set eth0 mtu 1280"),
        Mutation("MAC of pod link eth0 is 02:00:00:00:00:77", "pod ip link set eth0 address 02:00:00:00:00:77"),
        Mutation("state of pod link eth0 is down, not up", "pod ip link set eth0 down"),
        Mutation("host link HOST is missing", "ip link set HOST down", "ip link set HOST name other0"),
        Mutation("alias of host link HOST is mine", "ip link set HOST alias mine"),
        Mutation("MTU of host link HOST is 1280, not 1500", "ip link set HOST mtu 1280"),
        Mutation("MAC of host link HOST is 02:00:00:00:00:77", "ip link set HOST address 02:00:00:00:00:77"),
        Mutation("state of host link HOST is down, not up", "ip link set HOST down"),
        Mutation(
            "master of host link HOST is link", "ip link add br0 type bridge", "ip link set HOST master br0"),
        Mutation("host route 10.244.0.1/32 dev HOST is missing", "ip route del 10.244.0.1"),
        Mutation(
            "host route 10.244.0.1/32 dev HOST is missing", "ip route del 10.244.0.1",
            "ip route add 10.244.0.1 dev lo proto 97"),
        Mutation("host neighbour 10.244.0.1 dev HOST is missing", "ip neigh del 10.244.0.1 dev HOST"),
        Mutation("proxy_arp of host link HOST is 0, not 1", "sysctl net.ipv4.conf.HOST.proxy_arp=0"),
        Mutation("proxy_delay of host link HOST", "sysctl net.ipv4.neigh.HOST.proxy_delay=80"),
        Mutation("forwarding of host link HOST is 0, not 1", "sysctl net.ipv4.conf.HOST.forwarding=0"),
        Mutation("rp_filter of host link HOST is 2, not 1", "sysctl net.ipv4.conf.HOST.rp_filter=2"),
        Mutation(
            "the other end of host link HOST is another link", "pod ip link del eth0",
            "pod ip link add eth0 type veth peer name eth1", "ip link add HOST type veth peer name other0"),
        Mutation(
            "packets of pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 are taken by 0.0.0.0/0 dev net1 scope link proto 3",
            "pod ip link add net1 type bridge", "pod ip link set net1 up", "pod ip route prepend default dev net1"),
        Mutation(
            "packets of pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 are taken by 0.0.0.0/0 dev net1 scope link"
                + " proto 3 metric 50",
            "pod ip link add net1 type bridge", "pod ip link set net1 up", "pod ip route del default",
            "pod ip route add default via 169.254.1.1 dev eth0 metric 100",
            "pod ip route add default dev net1 metric 50"),
        Mutation(
            "packets of pod route 169.254.1.1/32 dev eth0 are taken by 169.254.1.1/32 dev net1",
            "pod ip link add net1 type bridge", "pod ip link set net1 up",
            "pod ip route prepend 169.254.1.1 dev net1 scope link"),
        Mutation(
            "packets of host route 10.244.0.1/32 dev HOST are taken by 10.244.0.1/32 dev other0 scope link proto 4",
            "ip link add other0 type bridge", "ip link set other0 up",
            "ip route prepend 10.244.0.1 dev other0 proto static"),
        Mutation(
            "packets of host route 10.244.0.1/32 dev HOST are taken by 10.244.0.0/16 dev other0 scope link proto 3"
                + " table 100",
            "ip link add other0 type bridge", "ip link set other0 up",
            "ip route add 10.244.0.0/16 dev other0 table 100", "ip rule add to 10.244.0.0/16 lookup 100 priority 100"),
        Mutation(
            "packets of host route 10.244.0.1/32 dev HOST are taken by local 10.244.0.1/32",
            "ip addr add 10.244.0.1 dev lo"),
        Mutation(
            "packets of host route 10.244.0.1/32 dev HOST are taken by a blackhole",
            "ip rule add to 10.244.0.1 blackhole priority 100"),
        Mutation("allocation record of net/c1/eth0 is missing", "rm RUN/attachments -r"),
        Mutation("block record with 10.244.0.1 is missing", "rm RUN/blocks -r"),
    ]

    static func check(_ plugin: PluginFixture, _ result: JSONValue, _ more: (String, JSONValue)...) -> CNIPlugin.Outcome
    {
        plugin.call("CHECK", members: [("prevResult", result)] + more)
    }

    @Test("Each thing altered behind the plugin's back is named", arguments: mutations)
    func mutation(_ mutation: Mutation) async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let result = try #require(fixture.plugin.call("ADD").answer)
            let before = Self.check(fixture.plugin, result)
            #expect(before == CNIPlugin.Outcome(answer: nil, status: 0))
            for command in mutation.commands {
                let words = command.replacing("HOST", with: PodTests.hostName)
                    .replacing("RUN", with: fixture.plugin.runDirectory)
                if words.hasPrefix("pod ") {
                    try fixture.inPod(String(words.dropFirst(4)))
                } else {
                    try Command.run(words.split(separator: " ").map(String.init))
                }
            }
            let outcome = Self.check(fixture.plugin, result)
            #expect(outcome.status == 1)
            let expected = mutation.words.replacing("HOST", with: PodTests.hostName)
            #expect(outcome.message.contains(expected), "\(outcome.message)")
        }
    }

    @Test("Right after the ADD there is nothing to say", arguments: ["0.4.0", "1.0.0", "1.1.0"])
    func untouched(version: String) async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let config: (String, JSONValue) = ("cniVersion", .string(version))
            let result = try #require(fixture.plugin.call("ADD", config: config).answer)
            let outcome = Self.check(fixture.plugin, result, config)
            #expect(outcome == CNIPlugin.Outcome(answer: nil, status: 0))
            try fixture.inPod("ip addr add 192.0.2.1/24 dev eth0")
            try fixture.inPod("ip link add other0 type veth peer name other1")
            // A second network has its own addresses and routes, and no better way to what this one leads to.
            try fixture.inPod("ip link set other0 up")
            try fixture.inPod("ip addr add 198.51.100.1/24 dev other0")
            try fixture.inPod("ip route add 203.0.113.0/24 dev other0")
            try fixture.inPod("ip route add default dev other0 metric 100")
            #expect(Self.check(fixture.plugin, result, config).status == 0, "what later plugins add is theirs")
        }
    }

    @Test("A pod whose record was made again of its link is as it was, with the MAC and the MTU of its ADD")
    func rebuilt() async throws {
        try await PodFixture.run { fixture in
            let mac = "02:11:22:33:44:55"
            try fixture.plugin.writeNodeState()
            let requests: (String, JSONValue) = ("runtimeConfig", ["mac": .string(mac)])
            let result = try #require(fixture.plugin.call("ADD", config: requests).answer)
            _ = try Command.run(["rm", "-r", fixture.plugin.runDirectory])
            // The pod's block is none that is allocated from, so that its record is not made again.
            try fixture.plugin.writeNodeState(blocks: ["10.244.1.0/26"], mtuBytes: 1400)
            let pod = try fixture.makeOtherPod()
            var other = fixture.plugin
            other.netns = "/proc/self/fd/\(pod.descriptor.rawValue)"
            #expect(other.call("ADD", "c2").status == 0)
            #expect(try fixture.plugin.store.attachment(PodTests.key)?.requestedMAC?.description == mac)
            let outcome = Self.check(fixture.plugin, result)
            #expect(outcome.status == 0, "\(outcome.message)")
            withExtendedLifetime(pod) {}
        }
    }

    @Test("Both families are looked at")
    func dualStack() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState(isDualStack: true)
            let result = try #require(fixture.plugin.call("ADD").answer)
            let outcome = Self.check(fixture.plugin, result)
            #expect(outcome.status == 0, "\(outcome.message)")
            try fixture.inPod("ip link add net1 type bridge")
            try fixture.inPod("ip link set net1 up")
            try fixture.inPod("ip -6 route add default dev net1 metric 2000")
            #expect(Self.check(fixture.plugin, result).status == 0)
            try fixture.inPod("ip -6 route add default dev net1 metric 10")
            try Command.run(["ip", "link", "add", "other0", "type", "bridge"])
            try Command.run(["ip", "link", "set", "other0", "up"])
            try Command.run(["ip", "-6", "route", "add", "fd00:10::1", "dev", "other0", "metric", "10"])
            let bypassed = Self.check(fixture.plugin, result).message
            #expect(
                bypassed.contains(
                    "packets of pod route ::/0 via fe80::ecee:eeff:feee:eeee dev eth0 are taken by ::/0 dev net1"))
            #expect(
                bypassed.contains(
                    "packets of host route fd00:10::1/128 dev \(PodTests.hostName) are taken by"
                        + " fd00:10::1/128 dev other0"))
            try fixture.inPod("ip -6 route del default dev eth0")
            try Command.run(["ip", "-6", "route", "del", "fd00:10::1", "dev", PodTests.hostName])
            let message = Self.check(fixture.plugin, result).message
            #expect(message.contains("pod route ::/0 via fe80::ecee:eeff:feee:eeee dev eth0 is missing"))
            #expect(message.contains("host route fd00:10::1/128 dev \(PodTests.hostName) is missing"))
        }
    }

    @Test("A result that is not this link's is named")
    func foreignResult() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let result = try #require(fixture.plugin.call("ADD").answer)
            #expect(fixture.plugin.call("CHECK").code == 7)
            #expect(Self.check(fixture.plugin, "text").code == 7)
            #expect(Self.check(fixture.plugin, ["ips": [["interface": 5, "address": "10.0.0.1/32"]]]).code == 7)
            let empty = Self.check(fixture.plugin, ["cniVersion": "1.0.0"]).message
            #expect(empty.contains("link eth0 of the container is not listed"))
            #expect(empty.contains("address 10.244.0.1 is not listed"))
            var more = try #require(result.object)
            more["routes"] = [["dst": "198.51.100.0/24", "gw": "169.254.1.1"]]
            #expect(Self.check(fixture.plugin, .object(more)).message.contains("pod route 198.51.100.0/24"))
            var other = fixture.plugin
            other.netns = "/proc/thread-self/fd/\(fixture.pod.descriptor.rawValue)"
            #expect(Self.check(other, result).message.contains("CNI_NETNS \(other.netns)"))
            #expect(fixture.plugin.call("CHECK", config: ("cniVersion", "0.3.1")).code == 1)
        }
    }

    @Test("The IPAM plugin holds its record against the result")
    func addresses() throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState()
            let result = try #require(plugin.call("ADD", role: .addressesOnly).answer)
            let config: (String, JSONValue) = ("prevResult", result)
            #expect(plugin.call("CHECK", role: .addressesOnly, config: config).status == 0)
            #expect(plugin.call("DEL", role: .addressesOnly).status == 0)
            let gone = plugin.call("CHECK", role: .addressesOnly, config: config)
            #expect(gone.message.contains("allocation record of net/c1/eth0 is missing"))
            #expect(gone.message.contains("10.244.0.1 is not allocated"))
        }
    }
}
