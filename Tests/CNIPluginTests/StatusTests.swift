import CNIPlugin
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import TestKit
import Testing

@Suite("STATUS", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct StatusTests {
    static func ask(_ plugin: PluginFixture, role: CNIPlugin.Role = .network, mode: JSONValue = "bgp")
        -> CNIPlugin.Outcome
    {
        plugin.call("STATUS", "", role: role, config: ("cniVersion", "1.1.0"), ("mode", mode))
    }

    static func answer(peers states: [String], claimable: [StatusAnswer.Claimable] = []) -> JSONObject {
        let node = NodeStatus(name: "node1", asNumber: ASNumber(64512), routerID: "192.0.2.1", startedAt: 0)
        let peers = states.map { state in
            PeerStatus(
                address: "192.0.2.2", family: .ipv4, type: "global", state: state, since: 0, info: "Active",
                asNumber: ASNumber(64512), node: "")
        }
        return StatusAnswer(node: node, peers: peers, claimable: claimable).members
    }

    @Test("An announced block with a free address is enough, without a daemon")
    func available() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let before = try fixture.plugin.store.nodeState()
            #expect(Self.ask(fixture.plugin) == CNIPlugin.Outcome(answer: nil, status: 0))
            #expect(Self.ask(fixture.plugin, role: .addressesOnly).status == 0)
            #expect(try fixture.isUntouched())
            #expect(try fixture.plugin.store.nodeState() == before)
        }
    }

    @Test("Beside another IPAM plugin, too, what Apus would refuse is error 50")
    func delegate() async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            _ = try directory.makeProgram("willing", "#!/bin/sh\nexit 0\n")
            fixture.plugin.pluginPath = directory.path
            func ask() -> CNIPlugin.Outcome {
                fixture.plugin.call(
                    "STATUS", "", config: ("cniVersion", "1.1.0"), ("mode", "bgp"), ("ipam", ["type": "willing"]))
            }
            try fixture.plugin.writeNodeState()
            #expect(ask().status == 0)
            try fixture.plugin.writeNodeState(mode: "vxlan")
            #expect(ask().code == 50 && ask().message.contains("vxlan"))
            try fixture.plugin.writeNodeState()
            try Sysctl.write(["net", "ipv4", "ip_forward"], "0")
            #expect(ask().code == 50 && ask().message.contains("ip_forward"))
        }
    }

    @Test("What another IPAM plugin is not able to give keeps its code when the pods that are there feel it, too")
    func limited() async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            _ = try directory.makeProgram("limited", "#!/bin/sh\necho '{\"code\":51,\"msg\":\"cut off\"}'\nexit 1\n")
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState()
            let outcome = fixture.plugin.call(
                "STATUS", "", config: ("cniVersion", "1.1.0"), ("mode", "bgp"), ("ipam", ["type": "limited"]))
            #expect(outcome.code == 51 && outcome.message.contains("cut off"))
        }
    }

    @Test("A run directory that ADD refuses is error 50")
    func unfitStore() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            _ = try Command.run(["chmod", "777", fixture.plugin.runDirectory])
            #expect(Self.ask(fixture.plugin).code == 50)
            #expect(Self.ask(fixture.plugin).message.contains("chmod 0700"))
        }
    }

    @Test("Whatever an ADD would fail for is error 50 with the reason")
    func notAvailable() async throws {
        try await PodFixture.run { fixture in
            func expect(_ words: String, _ outcome: CNIPlugin.Outcome) {
                #expect(outcome.code == 50)
                #expect(outcome.message.contains(words), "\(outcome.message)")
            }
            expect("apusd has said nothing", Self.ask(fixture.plugin))
            #expect(try FileStatus.of(fixture.plugin.runDirectory) == nil)
            try fixture.plugin.writeNodeState(blocks: [])
            expect("no open block of ipv4 addresses", Self.ask(fixture.plugin))
            try fixture.plugin.writeNodeState(isAnnounced: false)
            expect("10.244.0.0/26 is not announced", Self.ask(fixture.plugin))
            try fixture.plugin.writeNodeState(mode: "vxlan")
            expect("vxlan", Self.ask(fixture.plugin))
            try fixture.plugin.writeNodeState(blocks: ["10.244.0.0/31"])
            #expect(fixture.plugin.call("ADD").status == 0)
            expect("every block of this node is full (10.244.0.0/31)", Self.ask(fixture.plugin))
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(Self.ask(fixture.plugin).status == 0)
            try Sysctl.write(["net", "ipv4", "ip_forward"], "0")
            expect("net.ipv4.ip_forward is 0", Self.ask(fixture.plugin))
            #expect(Self.ask(fixture.plugin, mode: "bridge").code == 7)
        }
    }

    @Test(
        "No session up though there are peers is error 51, one is enough",
        arguments: [
            (["start", "start"], 51), (["start", "up"], nil), ([], nil),
        ] as [([String], Int64?)])
    func sessions(states: [String], code: Int64?) async throws {
        let asked = try await HandOffTests.run(connections: 1) { _ in
            .success(Self.answer(peers: states))
        } _: { fixture in
            try fixture.plugin.writeNodeState()
            let outcome = Self.ask(fixture.plugin)
            #expect(outcome.code == code)
            if code != nil { #expect(outcome.message.contains("192.0.2.2 Active")) }
        }
        #expect(asked == ["status"])
    }

    @Test("Of ten thousand peers one that is up is enough, and an error names few", arguments: [true, false])
    func manyPeers(isOneUp: Bool) async throws {
        let states = Array(repeating: "start", count: 9_999) + [isOneUp ? "up" : "start"]
        _ = try await HandOffTests.run(connections: 1) { _ in
            .success(Self.answer(peers: states))
        } _: { fixture in
            try fixture.plugin.writeNodeState()
            let outcome = Self.ask(fixture.plugin)
            #expect(outcome.code == (isOneUp ? nil : 51))
            if !isOneUp {
                #expect(outcome.message.contains("192.0.2.2 Active, and 9990 more"), "\(outcome.message)")
            }
        }
    }

    @Test("What keeps an ADD from succeeding is said before sessions that are down")
    func faultFirst() async throws {
        _ = try await HandOffTests.run(connections: 1) { _ in
            .success(Self.answer(peers: ["start"]))
        } _: { fixture in
            try fixture.plugin.writeNodeState(blocks: [])
            #expect(Self.ask(fixture.plugin).code == 50)
        }
    }

    @Test("Full blocks are no obstacle to a daemon that may claim another", arguments: ["bgp", "vxlan"])
    func claimable(mode: String) async throws {
        _ = try await HandOffTests.run(connections: 1) { _ in
            .success(Self.answer(peers: [], claimable: [.init(family: .ipv4, mode: mode)]))
        } _: { fixture in
            try fixture.plugin.writeNodeState(blocks: [])
            #expect(Self.ask(fixture.plugin).code == (mode == "bgp" ? nil : 50))
        }
    }

    @Test("A silent daemon does not hold a STATUS up for long")
    func silence() async throws {
        _ = try await HandOffTests.run(connections: 1) { _ in
            nil
        } _: { fixture in
            try fixture.plugin.writeNodeState()
            let start = BootClock.now()
            #expect(Self.ask(fixture.plugin).status == 0)
            #expect(BootClock.now() - start < .seconds(2))
        }
    }

    @Test("The verbs of 1.1.0 are error 1 before it", arguments: ["STATUS", "GC"])
    func versions(command: String) throws {
        try withRunDirectory { plugin in
            for version in ["0.4.0", "1.0.0"] {
                let outcome = plugin.call(command, "", config: ("cniVersion", .string(version)))
                #expect(outcome.code == 1)
            }
        }
    }
}
