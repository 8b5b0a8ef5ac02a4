import CNIPlugin
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import TestKit
import Testing

/// The daemon starts while ADDs come: what the node is it says only when it answers.
@Suite("ADD before node.json", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct LateNodeTests {
    @Test("A pod has an address of each family that node.json has by then", arguments: [false, true])
    func families(isAddressesOnly: Bool) async throws {
        try await Self.run(connections: isAddressesOnly ? 1 : 2) { plugin in
            try plugin.writeNodeState(isDualStack: true)
            return nil
        } _: { fixture in
            let outcome = fixture.plugin.call("ADD", role: isAddressesOnly ? .addressesOnly : .network)
            let given = outcome.answer?.object?["ips"]?.array?.compactMap { $0.object?["address"]?.string }
            let lengths = isAddressesOnly ? ["26", "122"] : ["32", "128"]
            #expect(given == ["10.244.0.1/\(lengths[0])", "fd00:10::1/\(lengths[1])"], "\(outcome)")
        }
    }

    @Test("Forwarding is looked at for each family that node.json has by then")
    func forwarding() async throws {
        try await Self.run(connections: 1) { plugin in
            try plugin.writeNodeState(isDualStack: true)
            return nil
        } _: { fixture in
            try Sysctl.write(["net", "ipv6", "conf", "all", "forwarding"], "0")
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.code == 11 && outcome.message.contains("ipv6"), "\(outcome)")
            let isUntouched = try fixture.isUntouched()
            #expect(isUntouched)
        }
    }

    @Test("A daemon that refuses IPv4, which nobody has asked for, and has IPv6 is no obstacle")
    func otherFamily() async throws {
        try await Self.run(connections: 2) { plugin in
            try plugin.writeNodeState(isDualStack: true)
            var node = try #require(try plugin.store.nodeState())
            node.pools.removeFirst()
            node.blocks.removeFirst()
            try plugin.store.save(node)
            return RemoteError(code: 7, message: "no enabled ipv4 IPPool of mode bgp selects node node1")
        } _: { fixture in
            #expect(fixture.plugin.call("ADD").address == "fd00:10::1/128")
        }
    }

    @Test("Without node.json the daemon's error 7 is error 11: what it was asked for was a guess")
    func refusal() async throws {
        try await Self.run(connections: 1) { _ in
            RemoteError(code: 7, message: "no enabled ipv4 IPPool of mode bgp selects node node1")
        } _: { fixture in
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.code == 11 && outcome.message.contains("IPPool"), "\(outcome)")
            let isUntouched = try fixture.isUntouched()
            #expect(isUntouched)
        }
    }

    @Test("node.json that comes after the daemon's answer is waited for")
    func late() async throws {
        try await Self.run(connections: 2) { plugin in
            Task {
                try await Task.sleep(for: .milliseconds(50))
                try plugin.writeNodeState()
            }
            return nil
        } _: { fixture in
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.address == "10.244.0.1/32", "\(outcome)")
        }
    }

    @Test("A daemon that answers and writes no node.json is error 11, not a pool without addresses")
    func never() async throws {
        try await Self.run(connections: 1) { _ in
            nil
        } _: { fixture in
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.code == 11 && outcome.message.contains("has not said"), "\(outcome)")
            let isUntouched = try fixture.isUntouched()
            #expect(isUntouched)
        }
    }

    /// - Parameter answer: what the daemon does when it is asked for a block, and its refusal, if it refuses.
    private static func run(
        connections: Int, answer: @escaping @Sendable (PluginFixture) throws -> RemoteError?,
        _ body: @escaping @Sendable (inout PodFixture) throws -> Void,
    ) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("run")
        let daemon = PluginFixture(runDirectory: path)
        let block = BlockAnswer(block: try #require(IPPrefix("10.244.0.0/26"))).members
        let asked = try await HandOffTests.run(in: path, connections: connections) { operation in
            guard case .blockRequest = operation else { return .success(JSONObject()) }
            return try answer(daemon).map(Result.failure) ?? .success(block)
        } _: { fixture in
            try body(&fixture)
        }
        #expect(asked.first == "blockRequest")
        withExtendedLifetime(directory) {}
    }
}
