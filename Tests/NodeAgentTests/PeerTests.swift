import BGPSession
import BGPTable
import BGPWire
import NIOCore
import NIOPosix
import NetTypes
import TestKit
import Testing

@testable import NodeAgent

@Suite("The shell of a session")
struct PeerTests {
    @Test("requests for routes again are one until they are answered, and what ends with them came before")
    func refreshes() async throws {
        try await PeerFixture.established { fixture in
            try await fixture.send(.routeRefresh(RouteRefreshMessage(family: .ipv4Unicast)), count: 1000)
            try await fixture.send(.update(UpdateMessage(unreachable: [.init(family: .ipv4Unicast, prefixes: [])])))
            var events: [PeerEvent] = []
            let hasEnd = try await eventually { () async throws -> Bool in
                events += fixture.inbox.take()
                return events.contains { if case .updates = $0.kind { true } else { false } }
            }
            let requests = events.filter { if case .refreshRequested = $0.kind { true } else { false } }
            #expect(hasEnd && requests.count == 1)
            await fixture.peer.refreshAnswered(.ipv4)
            try await fixture.send(.routeRefresh(RouteRefreshMessage(family: .ipv4Unicast)), count: 2)
            let isAnother = try await eventually { () async throws -> Bool in fixture.inbox.count == 1 }
            #expect(isAnother)
        }
    }

    @Test("a verdict on the prefixes of an earlier session does not end this one")
    func verdict() async throws {
        try await PeerFixture.established { fixture in
            let peer = fixture.peer
            let epoch: UInt64 = 1 << 32 + 1
            await peer.endForPrefixes(10, pause: .zero, epoch: epoch - 1)
            #expect(await peer.status.state == .established)
            await peer.endForPrefixes(10, pause: .zero, epoch: epoch)
            #expect(await peer.status.state == .idle)
        }
    }

    @Test("a peer is not read while many octets of it wait for the table, however few its messages are")
    func octets() async throws {
        let prefixes = (0..<12_000).map { index in
            IPAddress.v4(IPv4Address(10, 244, UInt8(index / 256), UInt8(index % 256))).hostPrefix
        }
        let update = UpdateMessage(unreachable: [.init(family: .ipv4Unicast, prefixes: prefixes)])
        try await PeerFixture.established { fixture in
            let peer = fixture.peer
            try await fixture.send(.update(update), count: 120)
            #expect(try await eventually(within: .seconds(60)) { await peer.readsAreHeld })
            var (updates, octets) = (0, 0)
            for event in fixture.inbox.take() {
                guard case .updates(let some, let size) = event.kind else { continue }
                (updates, octets) = (updates + some.count, octets + size)
            }
            #expect(updates < 100 && octets < 6 << 20)
            await peer.updatesTaken(updates, octets: octets)
            #expect(await !peer.readsAreHeld)
        }
    }

    @Test("what the table sends is counted, and what is sent beside the session")
    func counts() async throws {
        try await PeerFixture.established { fixture in
            let peer = fixture.peer
            let epoch = try #require(await peer.up?.epoch)
            let routes = ByteBuffer(bytes: BGPMessage.update(UpdateMessage()).encode(WireContext(isIBGP: true)))
            await peer.send([routes, routes], messages: 2, epoch: epoch)
            await peer.send([routes], messages: 1, epoch: epoch + 1)
            await peer.askForRefresh()
            let sent = await peer.status.counters.sent
            #expect(sent.updates == 2 && sent.refreshes == 1)
        }
    }

    @Test("a dial that fails at once is followed by others")
    func dials() async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = PeerConfiguration(
            localAS: PeerFixture.asNumber, peerAS: PeerFixture.asNumber, bgpID: try #require(RouterID("192.168.1.1")),
            // TEST-NET-1 (RFC 5737): no host has it.
            localAddress: try PeerFixture.address("192.0.2.1"), peerAddress: try PeerFixture.address("127.0.0.1"))
        configuration.startDelay = .zero
        configuration.timing.retryMinimum = .milliseconds(10)
        let peer = Peer(
            id: PeerID(1), incarnation: 1, settings: try PeerFixture.settings(), configuration: configuration,
            roleTemplate: PeerRoleTemplate(localAS: PeerFixture.asNumber, localNextHops: [:]),
            dialer: Dialer(eventLoop: loops.next()), inbox: PeerInbox(eventLoop: loops.next()),
            logger: PeerFixture.silent)
        await peer.start()
        #expect(try await eventually { await peer.status.lastErrorAt != nil })
        let first = await peer.status.lastErrorAt
        let isTriedAgain = try await eventually { await peer.status.lastErrorAt != first }
        #expect(isTriedAgain)
        await peer.stop(.restarting)
        try await loops.shutdownGracefully()
    }

    @Test("a hold timer is believed when the loop was there in time and the connection is read")
    func patience() {
        let deadline = MonotonicTime(nanoseconds: 10_000_000_000)
        var patience = HoldPatience(deadline: deadline)
        #expect(patience.more(at: deadline + .milliseconds(1), readsAreHeld: false) == nil)
        // Late, then in time.
        let late = deadline + .seconds(28)
        #expect(patience.more(at: late, readsAreHeld: false) == HoldPatience.respite)
        #expect(patience.more(at: late + HoldPatience.respite, readsAreHeld: false) == nil)
        // Held, and then late for ever.
        patience = HoldPatience(deadline: deadline)
        var now = deadline
        for _ in 0..<100 {
            #expect(patience.more(at: now, readsAreHeld: true) != nil)
            now = now + HoldPatience.respite
        }
        var count = 0
        while patience.more(at: now + .seconds(1), readsAreHeld: false) != nil {
            now = now + .seconds(2)
            count += 1
        }
        #expect(count == HoldPatience.limit)
    }
}
