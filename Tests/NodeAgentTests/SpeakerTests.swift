import BGPTable
import BGPWire
import LinuxOS
import NIOCore
import NIOPosix
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("The owner of the table")
struct SpeakerTests {
    /// Runs `body` on the event loop of a speaker that has one peer, which nobody answers.
    private static func withSpeaker(
        _ body: @Sendable @escaping (isolated Speaker, Peer) async throws -> Void,
    ) async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let speaker = Speaker(
            dialer: Dialer(eventLoop: loops.next()), forwardingSignal: Signal(), isRestarting: false,
            logger: PeerFixture.silent)
        var settings = try PeerFixture.settings()
        settings.session.isPassive = true
        let pool = try #require(IPPrefix("10.244.0.0/16"))
        await speaker.configure(
            SpeakerConfiguration(
                localAS: PeerFixture.asNumber, routerID: try #require(RouterID("192.168.1.1")), localAddresses: [],
                listenPort: 179, peers: [settings], pools: [pool], nodeAddresses: [], announcements: []))
        try await Self.run(body, on: speaker)
        await speaker.stop()
        try await loops.shutdownGracefully()
    }

    private static func run(
        _ body: (isolated Speaker, Peer) async throws -> Void, on speaker: isolated Speaker,
    ) async throws {
        try await body(speaker, try #require(speaker.peers.values.first))
    }

    private static func establish(_ peer: Peer, of speaker: isolated Speaker) throws {
        let role = PeerRole(
            localAS: PeerFixture.asNumber, peerAS: PeerFixture.asNumber, bgpID: try #require(RouterID("192.168.1.2")),
            peerAddress: peer.address, localNextHops: [:])
        let event = PeerEvent(
            peer: peer.id, incarnation: peer.incarnation, kind: .established(role, epoch: 1, isRestarting: false))
        let rest = speaker.take(event, of: peer, until: BootClock.now() + .seconds(60))
        #expect(rest == nil)
    }

    private static func announcement(_ last: UInt8) -> UpdateMessage {
        let reach = UpdateMessage.Reach(
            family: .ipv4Unicast, nextHop: NextHop(IPAddress.v4(IPv4Address(192, 168, 1, 2))),
            prefixes: [IPAddress.v4(IPv4Address(10, 244, 1, last)).hostPrefix])
        return UpdateMessage(reachable: [reach], attributes: PathAttributes())
    }

    @Test("a policy that changes while a session comes up is that of the session")
    func policyMeetsSession() async throws {
        try await Self.withSpeaker { speaker, peer in
            var settings = peer.settings
            settings.policy.maximumPrefixes = 10
            peer.change(settings)
            try Self.establish(peer, of: speaker)
            let answer = speaker.rib?.apply(Self.announcement(1), from: peer.id)
            let summary = try #require(answer)
            #expect(summary.receivedOfMaximum == 1)
        }
    }

    @Test("of a session that other settings replace the table keeps what the session does, were it lost unheard")
    func replacement() async throws {
        try await Self.withSpeaker { speaker, peer in
            try Self.establish(peer, of: speaker)
            _ = speaker.rib?.apply(Self.announcement(1), from: peer.id)
            let current = speaker.configuration
            var other = try #require(current)
            other.peers[0].session.holdTimeSeconds = 30
            await speaker.configure(other)
            let successor = speaker.peers[peer.id]?.incarnation
            let routes = speaker.rib?.routes(of: .ipv4).count
            let forsaken = speaker.forsaken[peer.id]
            #expect(successor != nil && successor != peer.incarnation)
            #expect(routes == 0 && forsaken == Set(AddressFamily.allCases))
        }
    }

    @Test("the node's mask and its addresses of another family change in place, what the session stands on does not")
    func nodeAddresses() async throws {
        try await Self.withSpeaker { speaker, peer in
            let current = speaker.configuration
            var configuration = try #require(current)
            configuration.localAddresses = [Node.Address(try PeerFixture.address("192.168.1.1"), length: 24)]
            await speaker.configure(configuration)
            let present = speaker.peers[peer.id]
            let standing = try #require(present)
            try Self.establish(standing, of: speaker)
            let ipv6 = try PeerFixture.address("fd00::1")
            for length in [64, 48] as [UInt8] {
                configuration.localAddresses[0].length? -= 1
                configuration.localAddresses[1...] = [Node.Address(ipv6, length: length)]
                await speaker.configure(configuration)
                #expect(speaker.peers[standing.id] === standing)
                #expect(speaker.epochs[standing.id] != nil)
            }
            var nextHops: [AddressFamily: NextHop] = [:]
            speaker.rib?.changeRole(of: standing.id) { nextHops = $0.localNextHops }
            #expect(nextHops[.ipv6] == NextHop(ipv6))
            // The kernel had picked the address that is gone.
            configuration.localAddresses[0].address = try PeerFixture.address("192.168.1.7")
            await speaker.configure(configuration)
            #expect(speaker.peers[standing.id] !== standing)
        }
    }

    @Test("another AS ends the sessions in which it is shown", arguments: [nil, ASNumber(64999)])
    func localAS(shown: ASNumber?) async throws {
        try await Self.withSpeaker { speaker, peer in
            let current = speaker.configuration
            var configuration = try #require(current)
            configuration.peers[0].session.localASNumber = shown
            await speaker.configure(configuration)
            let standing = speaker.peers[peer.id]
            configuration.localAS = ASNumber(64513)
            await speaker.configure(configuration)
            #expect((speaker.peers[peer.id] === standing) == (shown != nil))
        }
    }

    @Test("what a peer has not sent again yet outlives another change of its settings")
    func replacementTwice() async throws {
        try await Self.withSpeaker { speaker, peer in
            try Self.establish(peer, of: speaker)
            for number in [1, 2] as [UInt8] { _ = speaker.rib?.apply(Self.announcement(number), from: peer.id) }
            // As a change has left them, of which one has been confirmed since.
            speaker.rib?.peerDown(peer.id, keepStale: true)
            try Self.establish(peer, of: speaker)
            _ = speaker.rib?.apply(Self.announcement(1), from: peer.id)
            speaker.rib?.abandonRefreshes(from: peer.id)
            speaker.rib?.peerDown(peer.id, keepStale: true)
            let routes = speaker.rib?.routes(of: .ipv4).count
            #expect(routes == 2)
        }
    }

    @Test("a conflict over a planned block ends with the peer's session, and says so", arguments: [true, false])
    func conflictEnds(byRemoval: Bool) async throws {
        try await Self.withSpeaker { speaker, peer in
            try Self.establish(peer, of: speaker)
            _ = speaker.rib?.apply(Self.announcement(1), from: peer.id)
            let block = try #require(IPPrefix("10.244.1.0/26"))
            let pool = try #require(IPPrefix("10.244.0.0/16"))
            let conflicts = speaker.conflicts(planning: [block], in: [pool])
            #expect(conflicts.map(\.prefix) == [block])
            if byRemoval {
                let current = speaker.configuration
                var other = try #require(current)
                other.peers = []
                await speaker.configure(other)
            } else {
                let lost = PeerEvent(peer: peer.id, incarnation: peer.incarnation, kind: .lost(kept: []))
                _ = speaker.take(lost, of: peer, until: BootClock.now())
                speaker.changed()
            }
            let left = speaker.reportedConflicts
            #expect(left.isEmpty)
            speaker.conflictSignal.finish()
            var raised = 0
            await speaker.conflictSignal.forEach { raised += 1 }
            #expect(raised == 1)
        }
    }

    @Test("of one read so much is taken as there is time for, one UPDATE at least")
    func slices() async throws {
        try await Self.withSpeaker { speaker, peer in
            try Self.establish(peer, of: speaker)
            var event = PeerEvent(
                peer: peer.id, incarnation: peer.incarnation,
                kind: .updates([Self.announcement(1), Self.announcement(2), Self.announcement(3)], octets: 120))
            for count in 1...2 {
                let left = speaker.take(event, of: peer, until: BootClock.now())
                event = try #require(left)
                guard case .updates(let rest, let octets) = event.kind else { break }
                let prefixes = speaker.rib?.prefixCount(of: .ipv4)
                #expect(rest.count == 3 - count && octets == 120 && prefixes == count)
            }
            let last = speaker.take(event, of: peer, until: BootClock.now())
            let prefixes = speaker.rib?.prefixCount(of: .ipv4)
            #expect(last == nil && prefixes == 3)
        }
    }

    @Test("a request for routes again waits until the connection takes something, and more of them are one")
    func refreshes() async throws {
        try await Self.withSpeaker { speaker, peer in
            try Self.establish(peer, of: speaker)
            peer.outlet.occupy()
            for _ in 0..<3 {
                speaker.answerRefresh(of: .ipv4, to: peer)
                speaker.beginAnswers()
            }
            let wanted = speaker.refreshesWanted
            #expect(wanted == [Refresh(peer: peer.id, family: .ipv4)])
            peer.outlet.release()
            speaker.beginAnswers()
            let left = speaker.refreshesWanted
            #expect(left.isEmpty)
        }
    }
}
