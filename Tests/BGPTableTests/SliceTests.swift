import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// Work on a large table is done in slices: nothing waits for more than one, and the result is that of one piece.
@Suite struct SliceTests {
    private static let count = RIB.sliceLimit * 3 / 2
    private let large = PeerID(2)
    private let small = PeerID(3)

    private func block(_ number: Int) -> IPPrefix {
        IPPrefix(masking: .v4(IPv4Address(rawValue: 10 << 24 | UInt32(number) << 6)), length: 26)
    }

    private func announcement(_ numbers: some Sequence<Int>, via host: Int) -> UpdateMessage {
        let reach = UpdateMessage.Reach(
            family: .ipv4Unicast, nextHop: NextHop(address("192.168.1.\(host)")), prefixes: numbers.map { block($0) })
        return UpdateMessage(reachable: [reach])
    }

    /// A table with many routes of one peer and a few of another.
    private func filled() -> RIB {
        var rib = makeRIB(pools: ["10.0.0.0/8"])
        rib.addPeers(2, 3)
        _ = rib.apply(announcement(0..<Self.count, via: 2), from: large)
        _ = rib.apply(announcement(0..<10, via: 3), from: small)
        return rib
    }

    /// Goes on to the end, and checks that no slice does more than it may.
    private func goOn(_ rib: inout RIB, limit: Int = 1000, counting number: (RIB) -> Int) {
        var slices = 0
        while rib.hasSlicesLeft {
            let before = number(rib)
            rib.goOn(limit: limit)
            #expect(abs(before - number(rib)) <= limit)
            slices += 1
            if slices > 10 * Self.count / limit { break }
        }
        #expect(!rib.hasSlicesLeft && slices >= Self.count / limit)
    }

    private func received(_ rib: RIB) -> Int { rib.peerStatus(large)?.received ?? 0 }

    @Test("The routes of a lost peer go in slices, and the best of each prefix is chosen with it")
    func loss() {
        var rib = filled()
        rib.peerDown(large, keepStale: false)
        #expect(received(rib) == Self.count && rib.hasSlicesLeft)
        goOn(&rib) { received($0) }
        #expect(received(rib) == 0)
        #expect(rib.routes(of: .ipv4).map(\.peer) == Array(repeating: small, count: 10))
    }

    @Test("A peer that comes back while its routes go keeps what it confirms, and a withdrawal cuts nothing short")
    func comesBack() {
        var rib = filled()
        rib.peerDown(large, keepStale: false)
        rib.goOn(limit: 1000)
        rib.addPeers(2)
        _ = rib.apply(announcement(stride(from: 0, to: Self.count, by: 3), via: 2), from: large)
        _ = rib.apply(
            UpdateMessage(unreachable: [
                .init(family: .ipv4Unicast, prefixes: stride(from: 1, to: Self.count, by: 3).map { block($0) })
            ]), from: large)
        while rib.hasSlicesLeft { rib.goOn(limit: 100) }
        #expect(received(rib) == (Self.count + 2) / 3)
        #expect(rib.peerStatus(large)?.stale == 0)
    }

    @Test("Routes that a second loss keeps are not taken by the sweep of the first")
    func secondLoss() {
        var rib = filled()
        rib.peerDown(large, keepStale: false)
        rib.goOn(limit: 1000)
        rib.addPeers(2)
        _ = rib.apply(announcement(0..<500, via: 2), from: large)
        rib.peerDown(large, keepStale: true)
        while rib.hasSlicesLeft { rib.goOn() }
        #expect(received(rib) == 500 && rib.peerStatus(large)?.stale == 500)
    }

    @Test("A peer that is no longer configured is known until its last route is gone")
    func removal() {
        var rib = filled()
        rib.removePeer(large)
        #expect(rib.peerStatus(large) != nil)
        rib.addPeers(4)
        _ = rib.apply(announcement([Self.count], via: 4), from: PeerID(4))
        while rib.hasSlicesLeft { rib.goOn() }
        #expect(rib.peerStatus(large) == nil)
        #expect(rib.peerStatus(PeerID(4))?.received == 1)
        #expect(rib.routes(of: .ipv4).count == 11)
    }

    @Test("A new policy is applied in slices; what is announced meanwhile is judged by it at once")
    func policy() {
        var rib = filled()
        rib.setImportPolicy(ImportPolicy(pools: [prefix("10.0.0.0/18")]))
        #expect(rib.peerStatus(large)?.refused == 0 && rib.hasSlicesLeft)
        _ = rib.apply(announcement([Self.count], via: 2), from: large)
        #expect(rib.peerStatus(large)?.refused == 1)
        goOn(&rib) { $0.peerStatus(large)?.refused ?? 0 }
        #expect(rib.peerStatus(large)?.refused == Self.count + 1 - 256)
        rib.setImportPolicy(ImportPolicy(pools: [prefix("10.0.0.0/8")]))
        rib.goOn(limit: 5000)
        rib.setImportPolicy(ImportPolicy(pools: [prefix("10.0.0.0/18")]))
        while rib.hasSlicesLeft { rib.goOn() }
        #expect(rib.peerStatus(large)?.refused == Self.count + 1 - 256)
    }

    @Test("A walk over what a peer may not know ends its turn early and goes on in the next")
    func silentWalk() {
        var rib = filled()
        rib.addPeer(PeerID(5), role: role(5))
        var turns = 0
        repeat {
            // To tell an internal peer what another has said would take a reflector.
            #expect(rib.nextDeliveries(limit: 100) { $0 == PeerID(5) }.allSatisfy { $0.recipients.count == 1 })
            turns += 1
        } while rib.agenda().isExportCutShort && turns < 1000
        #expect(turns >= Self.count / 800 && turns < 1000)
        #expect(rib.peerStatus(PeerID(5))?.endOfRIBSent == [.ipv4])
    }
}
