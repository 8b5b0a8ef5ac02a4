import BGPTable
import BGPWire
import LinuxOS
import NIOCore
import NIOPosix
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("A reflector and clients whose routes it lacks")
struct ReflectorReturnTests {
    /// Runs `body` on the event loop of a speaker with two peers in the order of their addresses, clients or not.
    private static func withPeers(
        areClients: Bool = true, _ body: @Sendable @escaping (isolated Speaker, [Peer]) async throws -> Void,
    ) async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let speaker = Speaker(
            dialer: Dialer(eventLoop: loops.next()), forwardingSignal: Signal(), isRestarting: false,
            logger: PeerFixture.silent)
        let peers = try ["127.0.0.2", "127.0.0.3"].map { address in
            var settings = try PeerFixture.settings()
            settings.address = try PeerFixture.address(address)
            settings.session.isPassive = true
            settings.isRouteReflectorClient = areClients
            return settings
        }
        var configuration = SpeakerConfiguration(
            localAS: PeerFixture.asNumber, routerID: try #require(RouterID("192.168.1.1")), localAddresses: [],
            listenPort: 179, peers: peers, pools: [], nodeAddresses: [], announcements: [])
        configuration.clusterID = RouterID("244.0.0.1")
        await speaker.configure(configuration)
        try await run(body, on: speaker)
        await speaker.stop()
        try await loops.shutdownGracefully()
    }

    private static func run(
        _ body: (isolated Speaker, [Peer]) async throws -> Void, on speaker: isolated Speaker,
    ) async throws {
        try await body(speaker, speaker.peers.values.sorted { $0.address < $1.address })
    }

    private static func tell(_ kind: PeerEvent.Kind, of peer: Peer, _ speaker: isolated Speaker) {
        let event = PeerEvent(peer: peer.id, incarnation: peer.incarnation, kind: kind)
        _ = speaker.take(event, of: peer, until: BootClock.now() + .seconds(60))
    }

    /// The peer comes up, and sends its End-of-RIB.
    private static func comeUp(_ peer: Peer, _ speaker: isolated Speaker, speaks: Bool = true) throws {
        let role = PeerRole(
            localAS: PeerFixture.asNumber, peerAS: PeerFixture.asNumber, bgpID: try #require(RouterID("192.168.1.2")),
            peerAddress: peer.address, localNextHops: [:],
            isReflectorClient: peer.settings.isRouteReflectorClient)
        tell(.established(role, epoch: 1, isRestarting: false), of: peer, speaker)
        guard speaks else { return }
        for family in AddressFamily.allCases { _ = speaker.rib?.endOfRIB(family, from: peer.id) }
    }

    /// A speaker that has heard both and says so.
    private static func settle(_ speaker: isolated Speaker, _ peers: [Peer]) throws {
        for peer in peers { try comeUp(peer, speaker) }
        speaker.checkRestart(at: BootClock.now() + RestartState.settlingTime)
        #expect(!speaker.restart.isUnderWay && speaker.unheardClients.isEmpty)
    }

    @Test("one that starts waits for every client, five seconds at most")
    func start() async throws {
        try await Self.withPeers { speaker, peers in
            #expect(speaker.restart.isGathering && speaker.awaited.lacksClients)
            try Self.comeUp(peers[0], speaker)
            let now = BootClock.now()
            speaker.checkRestart(at: now + RestartState.lateSettlingTime)
            #expect(speaker.restart.isGathering)
            try Self.comeUp(peers[1], speaker, speaks: false)
            speaker.checkRestart(at: now + RestartState.lateSettlingTime)
            #expect(speaker.restart.isGathering && speaker.awaited.isAnybodySpeaking)
            speaker.checkRestart(at: now + RestartState.exportHoldLimit)
            #expect(!speaker.restart.isGathering)
        }
    }

    @Test("after clients' routes are gone it gathers them again, the first that is up is told later that this is all")
    func again() async throws {
        try await Self.withPeers { speaker, peers in
            try Self.settle(speaker, peers)
            for peer in peers { Self.tell(.lost(kept: [.ipv4]), of: peer, speaker) }
            #expect(speaker.unheardClients.isEmpty)
            for peer in peers { Self.tell(.staleRoutesExpired([.ipv4]), of: peer, speaker) }
            #expect(speaker.unheardClients == Set(peers.map(\.id)))
            try Self.comeUp(peers[0], speaker)
            let now = BootClock.now()
            #expect(speaker.restart.isGathering && speaker.awaited.lacksClients)
            speaker.checkRestart(at: now + .seconds(4))
            #expect(speaker.restart.isGathering)
            try Self.comeUp(peers[1], speaker)
            speaker.checkRestart(at: now + .seconds(4))
            #expect(!speaker.restart.isGathering && speaker.unheardClients.isEmpty)
        }
    }

    @Test("a client that has been waited for in vain is not waited for again")
    func inVain() async throws {
        try await Self.withPeers { speaker, peers in
            try Self.settle(speaker, peers)
            for peer in peers { Self.tell(.lost(kept: []), of: peer, speaker) }
            try Self.comeUp(peers[0], speaker)
            speaker.checkRestart(at: BootClock.now() + RestartState.exportHoldLimit)
            #expect(!speaker.restart.isUnderWay)
            Self.tell(.lost(kept: []), of: peers[0], speaker)
            try Self.comeUp(peers[0], speaker)
            #expect(!speaker.restart.isUnderWay)
        }
    }

    @Test("a wait that ends before a client is up was for nobody: the first is not told that this is all")
    func nobodyUp() async throws {
        try await Self.withPeers { speaker, peers in
            speaker.checkRestart(at: BootClock.now() + RestartState.exportHoldLimit)
            #expect(!speaker.restart.isUnderWay)
            try Self.comeUp(peers[0], speaker)
            #expect(speaker.restart.isGathering)
        }
    }

    @Test("one client alone that comes back, or peers that are none, delay nothing", arguments: [true, false])
    func nothingLacks(areClients: Bool) async throws {
        try await Self.withPeers(areClients: areClients) { speaker, peers in
            for peer in peers { try Self.comeUp(peer, speaker) }
            speaker.checkRestart(at: BootClock.now() + RestartState.settlingTime)
            #expect(!speaker.restart.isUnderWay)
            for peer in areClients ? [peers[0]] : peers { Self.tell(.lost(kept: []), of: peer, speaker) }
            try Self.comeUp(peers[0], speaker)
            #expect(!speaker.restart.isUnderWay)
        }
    }
}
