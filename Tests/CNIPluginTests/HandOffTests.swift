import CNIPlugin
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import TestKit
import Testing

@Suite("Hand-off", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct HandOffTests {
    /// A run directory with a daemon's socket in it, and that daemon's answers, for the body.
    static func run(
        in runDirectory: String? = nil, connections: Int,
        answer: @escaping @Sendable (Request.Operation) throws -> Result<JSONObject, RemoteError>?,
        _ body: @escaping @Sendable (inout PodFixture) throws -> Void,
    ) async throws -> [String] {
        let directory = try TemporaryDirectory()
        let path = runDirectory ?? directory.file("run")
        let store = RunDirectory(path: path, bootID: try BootID.current())
        try store.create()
        let server = FakeDaemon.Server(try UnixListener.bind(store.socketPath))
        let (ready, started) = AsyncStream<Void>.makeStream()
        async let asked = FakeDaemon.serve(server, connections: connections, started: started, answer: answer)
        // The tasks of other tests may keep the pool busy for longer than the plugin waits for a daemon.
        for await _ in ready {}
        try await PodFixture.run(runDirectory: path, body)
        let operations = try await asked
        withExtendedLifetime(directory) {}
        return operations
    }

    @Test("The daemon hears of the pod's ADD and DEL, and its consent stands for a block not announced yet")
    func consent() async throws {
        let asked = try await Self.run(connections: 2) { operation in
            if case .endpointAdd(let endpoint) = operation {
                #expect(endpoint.addresses == [IPPrefix("10.244.0.1/32")])
                #expect(endpoint.hostLink == PodTests.hostName)
                #expect(endpoint.hostLinkIndex != 0)
                #expect(endpoint.mode == "bgp")
            }
            // A daemon that says to have deleted what is there all the same is not believed.
            if case .linkDelete = operation { return .success(LinkDeleteAnswer(isDeleted: true).members) }
            return .success(JSONObject())
        } _: { fixture in
            try fixture.plugin.writeNodeState(isAnnounced: false)
            #expect(fixture.plugin.call("ADD").status == 0)
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
        #expect(asked == ["endpointAdd", "linkDelete"])
    }

    @Test("Its refusal is the ADD's error, and nothing is left")
    func refusal() async throws {
        let asked = try await Self.run(connections: 1) { _ in
            .failure(RemoteError(code: 101, message: "10.244.0.0/26 is also node2's"))
        } _: { fixture in
            try fixture.plugin.writeNodeState()
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.code == 101)
            #expect(outcome.message == "10.244.0.0/26 is also node2's")
            #expect(try fixture.isUntouched())
        }
        #expect(asked == ["endpointAdd"])
    }

    @Test("A block is asked for when there is none or the last one is full, and used")
    func block() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("run")
        let daemon = PluginFixture(runDirectory: path)
        let asked = try await Self.run(in: path, connections: 4) { operation in
            guard case .blockRequest(let request) = operation else { return .success(JSONObject()) }
            #expect(request.family == .ipv4)
            #expect(request.mode == "bgp")
            let blocks = request.full.map(\.description) + ["10.244.\(7 + request.full.count).0/31"]
            try daemon.writeNodeState(blocks: blocks)
            return .success(BlockAnswer(block: try #require(IPPrefix(blocks[blocks.count - 1]))).members)
        } _: { fixture in
            try fixture.plugin.writeNodeState(blocks: [])
            #expect(fixture.plugin.call("ADD").address == "10.244.7.1/32")
            let other = try fixture.makeOtherPod()
            var plugin = fixture.plugin
            plugin.netns = "/proc/self/fd/\(other.descriptor.rawValue)"
            #expect(plugin.call("ADD", "c2").address == "10.244.8.1/32")
        }
        #expect(asked == ["blockRequest", "endpointAdd", "blockRequest", "endpointAdd"])
        withExtendedLifetime(directory) {}
    }

    @Test("A silent daemon is no obstacle in an announced block")
    func silence() async throws {
        let asked = try await Self.run(connections: 1) { _ in
            nil
        } _: { fixture in
            try fixture.plugin.writeNodeState()
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.address == "10.244.0.1/32", "\(outcome)")
        }
        #expect(asked == ["endpointAdd"])
    }
}
