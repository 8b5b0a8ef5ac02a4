import BGPTable
import BGPWire
import IPAMCore
import LinuxOS
import Logging
import NIOPosix
import NetTypes
import NodeLink
import NodeStore
import Resources
import TestKit
import Testing

@testable import NodeAgent

/// A controller with a speaker and a kernel agent that has no sockets, and a network namespace of its own for its rules:
/// decisions are carried out, and reach nobody.
private struct ControllerLab: ~Copyable {
    let controller: NodeController
    let speaker: Speaker
    let store: RunDirectory
    private let directory: TemporaryDirectory
    private let kernel: KernelAgent

    init(defaultPools: DefaultPools, environment: [String: String]) async throws {
        let directory = try TemporaryDirectory()
        var options = AgentOptions(
            nodeName: "node1", configurationPath: directory.file("config.yaml"), runDirectory: directory.file("run"),
            stateDirectory: directory.file("state"), managesForwarding: false)
        options.defaultPools = defaultPools
        for family in AddressFamily.allCases where !environment.isEmpty {
            options.addressSources[family] = try NodeAddressSource(family, environment: environment)
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let store = RunDirectory(path: options.runDirectory, bootID: try BootID.current())
        try store.create()
        let claims = try ClaimRecord(stateDirectory: options.stateDirectory, node: "node1")
        let agentOptions = options
        let kernel = try await NetNSFixture.run { _ in
            KernelAgent(executor: BlockingThreadExecutor(), options: agentOptions, logger: logger)
        }
        let speaker = Speaker(
            dialer: Dialer(eventLoop: MultiThreadedEventLoopGroup.singleton.next()), forwardingSignal: Signal(),
            isRestarting: false, logger: logger)
        controller = NodeController(
            options: options, store: store, netnsInode: 1, previous: nil, claims: claims, speaker: speaker,
            kernel: kernel, notices: ServiceNotices(awaiting: []) { _ in }, logger: logger)
        (self.speaker, self.store, self.kernel) = (speaker, store, kernel)
        self.directory = directory
    }

    /// Reads a configuration with one block for the node, and waits until it is in force.
    func configure(block: String = "10.244.0.0/26") async throws {
        let text = """
            apiVersion: projectcalico.org/v3
            kind: Node
            metadata: {name: node1}
            spec: {bgp: {ipv4Address: 192.0.2.1/24}}
            ---
            apiVersion: projectcalico.org/v3
            kind: IPPool
            metadata: {name: pool}
            spec: {cidr: 10.244.0.0/16}
            ---
            apiVersion: projectcalico.org/v3
            kind: BlockAffinity
            metadata: {name: own}
            spec: {cidr: \(block), node: node1, state: confirmed}
            ---
            apiVersion: projectcalico.org/v3
            kind: BlockAffinity
            metadata: {name: other}
            spec: {cidr: 10.244.1.0/26, node: node2, state: confirmed}
            """
        try offer(text)
        #expect(
            try await eventually { await controller.state?.blocks.contains { $0.cidr == IPPrefix(block) } == true })
    }

    func offer(_ text: String) throws {
        try Files.replace(directory.file("config.yaml"), with: Array(text.utf8))
        controller.offer(ConfigurationReader(path: directory.file("config.yaml")).read())
    }

    /// What the speaker originates.
    func announced() async -> [String] { await speaker.bestRoutes().map(\.prefix.description) }

    func stop() async {
        controller.stop()
        await kernel.stop()
    }

    static func endpoint(_ id: String, _ addresses: String...) -> Endpoint {
        Endpoint(
            network: "net", containerID: id, ifName: "eth0", addresses: addresses.compactMap { IPPrefix($0) },
            hostLink: "cali1", hostLinkIndex: 7, mode: "bgp")
    }
}

@Suite("The node's decisions, in their order", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct NodeControllerTests {
    /// Runs the controller beside the body.
    private static func run(
        defaultPools: DefaultPools = DefaultPools(), environment: [String: String] = [:],
        _ body: (borrowing ControllerLab) async throws -> Void,
    ) async throws {
        let lab = try await ControllerLab(defaultPools: defaultPools, environment: environment)
        let running = lab.controller
        async let end: Void = running.run()
        do {
            try await body(lab)
        } catch {
            Issue.record(error)
        }
        await lab.stop()
        await end
    }

    @Test("An endpoint that came before the configuration is announced with it")
    func early() async throws {
        try await Self.run { lab in
            let answers = [
                await lab.controller.endpointCame(ControllerLab.endpoint("a", "10.244.9.1/32")),
                await lab.controller.endpointCame(ControllerLab.endpoint("b", "10.244.0.5/32")),
            ]
            #expect(answers.allSatisfy { if case .success = $0 { true } else { false } })
            #expect(await lab.announced().isEmpty)
            try lab.record("a")
            try await lab.configure()
            #expect(await lab.announced() == ["10.244.0.0/26", "10.244.9.1/32"])
        }
    }

    @Test(
        "An address of the environment that is on no link, or found nowhere, is a fault with what to do",
        arguments: [
            (["IP": "192.0.2.7/24"], "192.0.2.7", "IP=192.0.2.7 of apusd's environment is on no link of the node"),
            (["IP6": "fd00::7"], "fd00::7", "IP6=fd00::7 of apusd's environment is on no link of the node"),
            (["IP": "autodetect"], "IP", "no IPv4 address is found by first-found"), (["IP": "none"], nil, ""),
            (["IP": ""], nil, ""),
        ] as [([String: String], String?, String)])
    func addressFaults(environment: [String: String], subject: String?, problem: String) async throws {
        try await Self.run(environment: environment) { lab in
            try await lab.configure()
            let faults = await lab.controller.addressFaults
            #expect(faults.map(\.subject) == (subject.map { [$0] } ?? []))
            #expect(faults.allSatisfy { $0.problem.hasPrefix(problem) && !$0.remedy.isEmpty })
        }
    }

    @Test("What changes in forwarding while something is laid out already is told after it, without another change")
    func laidOut() async throws {
        try await Self.run { lab in
            try await lab.configure()
            _ = await lab.controller.endpointCame(ControllerLab.endpoint("a", "10.244.9.1/32"))
            _ = await lab.controller.endpointCame(ControllerLab.endpoint("b", "10.244.9.2/32"))
            var told: [String] = []
            var hasMore = true
            while hasMore {
                let forwarding = await lab.speaker.nextForwarding()
                told += forwarding.changes.map(\.prefix.description)
                hasMore = forwarding.hasMore
            }
            #expect(told.sorted() == ["10.244.0.0/26", "10.244.9.1/32", "10.244.9.2/32"])
        }
    }

    @Test("An endpoint is answered when it is announced; the end of its link withdraws it, its own end no other's")
    func comingAndGoing() async throws {
        try await Self.run { lab in
            try await lab.configure()
            let endpoint = ControllerLab.endpoint("a", "10.244.9.1/32")
            _ = await lab.controller.endpointCame(endpoint)
            #expect(await lab.announced() == ["10.244.0.0/26", "10.244.9.1/32"])
            lab.controller.linkGone(endpoint)
            // What comes after it is answered after it.
            _ = await lab.controller.endpointCame(ControllerLab.endpoint("b", "10.244.0.9/32"))
            #expect(await lab.announced() == ["10.244.0.0/26"])
            _ = await lab.controller.endpointCame(ControllerLab.endpoint("c", "10.244.9.1/32"))
            lab.controller.endpointGone(endpoint)
            _ = await lab.controller.endpointCame(ControllerLab.endpoint("d", "10.244.9.4/32"))
            #expect(await lab.announced() == ["10.244.0.0/26", "10.244.9.1/32", "10.244.9.4/32"])
        }
    }

    @Test("An endpoint in another node's block is refused and not announced")
    func refused() async throws {
        try await Self.run { lab in
            try await lab.configure()
            let answer = await lab.controller.endpointCame(ControllerLab.endpoint("a", "10.244.1.1/32"))
            guard case .failure(let refusal) = answer else {
                Issue.record("not refused")
                return
            }
            #expect(refusal.code == 101)
            #expect(await lab.announced() == ["10.244.0.0/26"])
        }
    }

    @Test("A block that another node announces is neither announced nor offered before that node withdraws it")
    func announcedElsewhere() async throws {
        try await Self.run { lab in
            try lab.offer(Self.node + Self.pool + Self.peer)
            #expect(try await eventually { await lab.controller.state != nil })
            let block = try #require(IPPrefix("10.244.5.0/26"))
            try await lab.speaker.hears(of: block)
            try lab.offer(Self.node + Self.pool + Self.peer + Self.affinity(to: block))
            #expect(try await eventually { await lab.controller.plan?.conflicts[block] != nil })
            #expect(await lab.controller.state?.blocks.isEmpty == true)
            #expect(await lab.speaker.configuration?.announcements.isEmpty == true)
            let answer = await lab.controller.block(for: BlockRequest(family: .ipv4, mode: "bgp", full: []))
            guard case .failure(let refusal) = answer, refusal.code == 101 else {
                Issue.record("not refused as a conflict: \(answer)")
                return
            }
            await lab.speaker.losesPeers()
            #expect(try await eventually { await lab.controller.state?.blocks.map(\.isClosed) == [false] })
            #expect(await lab.announced() == [block.description])
        }
    }

    @Test("A block is not given up, nor a new one promised, while node.json cannot be written")
    func unwritable() async throws {
        try await Self.run { lab in
            try await lab.configure()
            let old = try #require(IPPrefix("10.244.0.0/26"))
            try lab.leaveEmptyBlock()
            try Files.remove(lab.store.path + "/node.json")
            try Files.createDirectory(lab.store.path + "/node.json")
            try await lab.configure(block: "10.244.2.0/26")
            #expect(try lab.store.block(old) != nil)
            #expect(await lab.controller.state?.block(containing: old.address)?.isClosed == true)
            try Files.removeDirectory(lab.store.path + "/node.json")
            lab.controller.reviewSignal.raise()
            #expect(try await eventually { await lab.controller.state?.blocks.map(\.cidr).contains(old) == false })
            #expect(try lab.store.block(old) == nil)
            #expect(try await eventually { await lab.controller.isSaved })
            #expect(try lab.store.nodeState()?.blocks.map(\.cidr.description) == ["10.244.2.0/26"])
        }
    }

    @Test("A claim that cannot be written is refused with the reason, and none is promised before it can")
    func unwritableClaim() async throws {
        try await Self.run { lab in
            try lab.offer(Self.node)
            #expect(try await eventually { await lab.controller.state != nil })
            // Not even root writes where a directory is.
            let path = await lab.controller.claims.path
            try Files.createDirectory(path)
            try lab.offer(Self.node + Self.pool)
            #expect(try await eventually { await lab.controller.claims.failure != nil })
            let answer = await lab.controller.block(for: BlockRequest(family: .ipv4, mode: "bgp", full: []))
            guard case .failure(let refusal) = answer, refusal.code == 5, refusal.message.contains(path) else {
                Issue.record("not refused for that: \(answer)")
                return
            }
            #expect(await lab.controller.claimable.isEmpty)
            try Files.removeDirectory(path)
            guard case .success = await lab.controller.block(for: BlockRequest(family: .ipv4, mode: "bgp", full: []))
            else {
                Issue.record("still refused")
                return
            }
            #expect(await !lab.controller.claimable.isEmpty)
            #expect(await lab.controller.claimFault == nil)
        }
    }

    @Test("A claim without pods gives way to an affinity around it, and is forgotten")
    func outranked() async throws {
        try await Self.run { lab in
            try lab.offer(Self.node + Self.pool)
            #expect(try await eventually { await lab.controller.state?.blocks.count == 1 })
            let claim = try #require(await lab.controller.claims.blocks.first)
            let wide = IPPrefix(masking: claim.address, length: 24)
            try lab.offer(Self.node + Self.pool + Self.affinity(to: wide))
            #expect(try await eventually { await lab.controller.state?.blocks.map(\.cidr) == [wide] })
            #expect(await lab.controller.state?.blocks.map(\.isClosed) == [false])
            #expect(await lab.announced() == [wide.description])
            #expect(await lab.controller.claims.blocks.isEmpty)
        }
    }

    private static let node = """
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: {name: node1}
        spec: {bgp: {ipv4Address: 192.0.2.1/24}}

        """
    private static let pool = """
        ---
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: {name: pool}
        spec: {cidr: 10.244.0.0/16}

        """
    private static let peer = """
        ---
        apiVersion: projectcalico.org/v3
        kind: BGPPeer
        metadata: {name: other}
        spec: {peerIP: 192.0.2.2, asNumber: 64512, passive: true}

        """
    private static func affinity(to block: IPPrefix) -> String {
        """
        ---
        apiVersion: projectcalico.org/v3
        kind: BlockAffinity
        metadata: {name: own}
        spec: {cidr: \(block), node: node1, state: confirmed}

        """
    }
    private static let brokenFilter = """
        ---
        apiVersion: projectcalico.org/v3
        kind: BGPFilter
        metadata: {name: wrong}
        spec: {importV4: [{action: Perhaps}]}

        """
    private static let brokenPool = """
        ---
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: {name: wrong}
        spec: {cidr: 10.0.0.0/33}

        """

    @Test("A refused resource that is no pool holds no default pool back, a refused pool does")
    func refusedAtStart() async throws {
        let environment = ["CALICO_IPV4POOL_CIDR": "10.244.0.0/16", "CALICO_IPV4POOL_VXLAN": "Always"]
        try await Self.run(defaultPools: try DefaultPools(environment: environment)) { lab in
            try lab.offer(Self.node + Self.brokenPool)
            #expect(try await eventually { await lab.controller.state != nil })
            #expect(await lab.controller.state?.pools.isEmpty == true)
            try lab.offer(Self.node + Self.brokenFilter)
            #expect(
                try await eventually { await lab.controller.state?.pools.map(\.name) == ["default-ipv4-ippool"] })
            // It has been in force, so the refused pool takes nothing away.
            try lab.offer(Self.node + Self.brokenFilter + Self.brokenPool)
            #expect(try await eventually { await lab.controller.refusals.count == 2 })
            #expect(await lab.controller.configuration?.pools.map(\.name) == ["default-ipv4-ippool"])
        }
    }

    @Test("A mistake does not end the search for the node's address and for the default pool's mode")
    func refusedLater() async throws {
        try await Self.run { lab in
            try lab.offer(Self.node)
            #expect(try await eventually { await lab.controller.state != nil })
            for broken in [Self.node + Self.brokenFilter, ""] {
                try lab.offer(broken)
                #expect(try await eventually { await !lab.controller.refusals.isEmpty })
                let read = await lab.controller.addressSearch.read
                #expect(read?.configuration.node("node1") != nil && read?.isWhole == true)
            }
            try lab.offer(Self.node + Self.brokenPool)
            #expect(try await eventually { await lab.controller.refusals.contains { $0.mayBePool } })
            let early = await lab.controller.block(for: BlockRequest(family: .ipv4, mode: "vxlan", full: []))
            guard case .failure(let refusal) = early, refusal.code == 7 else {
                Issue.record("a default pool in the place of one that is refused: \(early)")
                return
            }
            try lab.offer(Self.node + Self.brokenFilter)
            #expect(try await eventually { await !lab.controller.refusals.contains { $0.mayBePool } })
            let answer = await lab.controller.block(for: BlockRequest(family: .ipv4, mode: "vxlan", full: []))
            guard case .success = answer else {
                Issue.record("no block: \(answer)")
                return
            }
            #expect(await lab.controller.state?.pools.map(\.mode) == ["vxlan"])
            #expect(await !lab.controller.refusals.isEmpty)
        }
    }

    @Test("A review forgets what has no record and leaves the rest as it is")
    func review() async throws {
        try await Self.run { lab in
            try await lab.configure()
            try lab.record("b")
            for (id, address) in [("a", "10.244.9.1/32"), ("b", "10.244.9.2/32")] {
                _ = await lab.controller.endpointCame(ControllerLab.endpoint(id, address))
            }
            lab.controller.reviewSignal.raise()
            #expect(try await eventually { await lab.announced() == ["10.244.0.0/26", "10.244.9.2/32"] })
        }
    }
}

extension ControllerLab {
    /// Leaves the record of the node's block, with no address given out any more.
    fileprivate func leaveEmptyBlock() throws {
        let lock = try store.lock(deadline: .seconds(1))
        let key = AttachmentKey(network: "net", containerID: "gone", ifName: "eth0")
        guard let node = try store.nodeState(),
            case .fresh(var file) = try store.claim(key, now: BootClock.now(), under: lock)
        else { return }
        _ = try store.allocate(AllocationRequest(family: .ipv4, mode: "bgp"), for: &file, node: node, under: lock)
        try store.release(file, under: lock)
    }

    /// Leaves a record of the endpoint's key, as its ADD does.
    fileprivate func record(_ id: String) throws {
        let lock = try store.lock(deadline: .seconds(1))
        let key = AttachmentKey(network: "net", containerID: id, ifName: "eth0")
        _ = try store.claim(key, now: BootClock.now(), under: lock)
    }
}

extension Speaker {
    /// As if the one peer had a session and announced a block.
    fileprivate func hears(of block: IPPrefix) throws {
        let peer = try #require(peers.values.first)
        let number = try #require(RouterID("192.0.2.2"))
        rib?.addPeer(
            peer.id,
            role: PeerRole(
                localAS: ASNumber(64512), peerAS: ASNumber(64512), bgpID: number, peerAddress: peer.address,
                localNextHops: [:]))
        let reach = UpdateMessage.Reach(family: .ipv4Unicast, nextHop: NextHop(peer.address), prefixes: [block])
        _ = rib?.apply(UpdateMessage(reachable: [reach], attributes: PathAttributes()), from: peer.id)
        changed()
    }

    /// As if the sessions had ended.
    fileprivate func losesPeers() {
        for id in peers.keys { rib?.peerDown(id, keepStale: false) }
        changed()
    }
}

extension NodeController {
    /// Says that a pod has come, and waits for the answer.
    nonisolated fileprivate func endpointCame(_ endpoint: Endpoint) async -> Result<JSONObject, RemoteError> {
        await withCheckedContinuation { answer in endpointCame(endpoint) { answer.resume(returning: $0) } }
    }
}
