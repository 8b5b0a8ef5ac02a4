import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// Several paths to one prefix (RFC 7911), in and out.
@Suite struct AddPathTests {
    private static let block = prefix("10.244.1.0/26")

    private static func announcePaths(_ paths: [(id: UInt32, nextHop: String)]) -> [UpdateMessage] {
        paths.map { id, nextHop in
            UpdateMessage(reachable: [
                UpdateMessage.Reach(
                    family: .ipv4Unicast, nextHop: NextHop(address(nextHop)), prefixes: [block], pathIDs: [id])
            ])
        }
    }

    private static func withdrawPath(_ id: UInt32) -> UpdateMessage {
        UpdateMessage(unreachable: [
            UpdateMessage.Unreach(family: .ipv4Unicast, prefixes: [block], pathIDs: [id])
        ])
    }

    /// A reflector with a client that sends several paths (2), one that is sent several (3), and one that knows of no
    /// identifiers (4).
    private static func reflector(maximumPathsSent: Int = .max) -> RIB {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, isReflectorClient: true).withPathIDs)
        var receiver = role(3, isReflectorClient: true).withPathIDs
        receiver.maximumPathsSent = maximumPathsSent
        rib.addPeer(PeerID(3), role: receiver)
        rib.addPeer(PeerID(4), role: role(4, isReflectorClient: true))
        for host in [2, 3, 4] { _ = rib.drainUpdates(for: PeerID(UInt32(host))) }
        return rib
    }

    @Test("Of one peer so many paths to a prefix are taken and no more; those of an earlier session do not count")
    func excess() {
        var rib = Self.reflector()
        let limit = AdjRIBIn.maximumPaths
        let paths = (1...UInt32(limit) + 2).map { (id: $0, nextHop: "192.168.1.2") }
        let summaries = Self.announcePaths(paths).map { rib.apply($0, from: PeerID(2)) }
        #expect(summaries.map(\.excess).reduce(0, +) == 2 && rib.peerStatus(PeerID(2))?.received == limit)
        // One that is known already may change, and one that goes makes room.
        #expect(rib.apply(Self.announcePaths([(5, "192.168.1.9")])[0], from: PeerID(2)).accepted == 1)
        _ = rib.apply(Self.withdrawPath(5), from: PeerID(2))
        #expect(rib.apply(Self.announcePaths([(9999, "192.168.1.2")])[0], from: PeerID(2)).accepted == 1)
        rib.peerDown(PeerID(2), keepStale: true)
        rib.addPeer(PeerID(2), role: role(2, isReflectorClient: true).withPathIDs)
        #expect(rib.apply(Self.announcePaths([(20_000, "192.168.1.2")])[0], from: PeerID(2)).accepted == 1)
    }

    @Test("A peer's paths are routes of their own, and each is withdrawn by its identifier")
    func receive() {
        var rib = Self.reflector()
        for update in Self.announcePaths([(7, "192.168.1.7"), (8, "192.168.1.8"), (7, "192.168.1.9")]) {
            _ = rib.apply(update, from: PeerID(2))
        }
        #expect(Set(rib.routes(to: Self.block).map(\.pathID)) == [7, 8])
        #expect(rib.peerStatus(PeerID(2))?.received == 2)
        #expect(
            rib.drainForwardingChanges().map { $0.best?.nextHops }
                == [[address("192.168.1.8"), address("192.168.1.9")]])
        #expect(rib.apply(Self.withdrawPath(9), from: PeerID(2)).withdrawn == 0)
        #expect(rib.apply(Self.withdrawPath(0), from: PeerID(2)).withdrawn == 0)
        #expect(rib.apply(Self.withdrawPath(7), from: PeerID(2)).withdrawn == 1)
        #expect(rib.routes(to: Self.block).map(\.nextHop) == [NextHop(address("192.168.1.8"))])
        rib.peerDown(PeerID(2), keepStale: false)
        #expect(rib.routes(to: Self.block).isEmpty)
    }

    @Test("When the export hold ends, paths beside the own one go out as well")
    func released() {
        var rib = makeRIB(isExportHeld: true)
        rib.addPeer(PeerID(2), role: role(2, isReflectorClient: true).withPathIDs)
        rib.addPeer(PeerID(3), role: role(3, isReflectorClient: true).withPathIDs)
        rib.setLocal([local("10.244.1.0/26", isExclusive: false)])
        for update in Self.announcePaths([(7, "192.168.1.9"), (8, "192.168.1.8")]) {
            _ = rib.apply(update, from: PeerID(2))
        }
        let held = rib.drainUpdates(for: PeerID(3))
        #expect(held.announcements.map(\.nextHop) == [NextHop(ownAddress)] && held.endOfRIBs.isEmpty)
        rib.releaseExport()
        let released = rib.drainUpdates(for: PeerID(3))
        #expect(
            Set(released.announcements.map(\.nextHop.description)).isSuperset(of: ["192.168.1.8", "192.168.1.9"]))
        #expect(released.endOfRIBs == [.ipv4])
    }

    @Test("All paths are sent with identifiers that stay while others come and go; who knows of none gets the best")
    func send() throws {
        var rib = Self.reflector()
        for update in Self.announcePaths([(7, "192.168.1.9"), (8, "192.168.1.8")]) {
            _ = rib.apply(update, from: PeerID(2))
        }
        let first = rib.drainUpdates(for: PeerID(3)).announcements
        let ids = Dictionary(uniqueKeysWithValues: first.map { ($0.nextHop.description, $0.pathID) })
        #expect(Set(ids.keys) == ["192.168.1.8", "192.168.1.9"])
        #expect(Set(ids.values).count == 2)
        #expect(rib.drainUpdates(for: PeerID(4)).announcements.map(\.pathID) == [0])
        #expect(rib.advertised(to: PeerID(3)).map(\.pathID).sorted() == ids.values.sorted())
        #expect(rib.advertised(to: PeerID(3), within: Self.block).count == 2)
        #expect(rib.advertised(to: PeerID(3), within: prefix("10.244.9.0/26")).isEmpty)
        #expect(rib.drainUpdates(for: PeerID(2)).isEmpty)

        // A better one, which the best alone would have taken the place of.
        rib.setLocal([local("10.244.1.0/26", isExclusive: false)])
        let second = rib.drainUpdates(for: PeerID(3))
        #expect(second.withdrawn.isEmpty)
        #expect(second.announcements.map(\.nextHop) == [NextHop(ownAddress)])
        #expect(second.announcements.allSatisfy { !ids.values.contains($0.pathID) })
        #expect(Set(rib.advertised(to: PeerID(3)).map(\.pathID)).isSuperset(of: ids.values))
        #expect(rib.advertised(to: PeerID(3)).count == 3)
        rib.setLocal([])
        _ = rib.drainUpdates(for: PeerID(3))

        _ = rib.apply(Self.withdrawPath(7), from: PeerID(2))
        let gone = rib.drainUpdates(for: PeerID(3))
        let id = try #require(ids["192.168.1.9"])
        #expect(gone == [.withdrawPaths(family: .ipv4, prefixes: [Self.block], pathID: id)])
        _ = rib.apply(Self.withdrawPath(8), from: PeerID(2))
        _ = rib.drainUpdates(for: PeerID(3))
        #expect(rib.advertised(to: PeerID(3)).isEmpty)
    }

    @Test("A change of a path that is not the best is told to those who get it, and to nobody else")
    func silence() {
        var rib = Self.reflector()
        for update in Self.announcePaths([(7, "192.168.1.7"), (8, "192.168.1.8")]) {
            _ = rib.apply(update, from: PeerID(2))
        }
        for host in [2, 3, 4] { _ = rib.drainUpdates(for: PeerID(UInt32(host))) }
        let other = rib.routes(to: Self.block).first { !$0.isBest }
        for update in Self.announcePaths([(other?.pathID ?? 0, "192.168.1.20")]) {
            _ = rib.apply(update, from: PeerID(2))
        }
        #expect(rib.drainUpdates(for: PeerID(4)).isEmpty)
        let nextHops = rib.drainUpdates(for: PeerID(3)).announcements.map(\.nextHop)
        #expect(nextHops.contains(NextHop(address("192.168.1.20"))))
    }

    @Test("Of a prefix with many paths only those go out that are new or other ones, and whoever asks gets all again")
    func onlyChanges() {
        var rib = Self.reflector()
        for id in 1...20 as ClosedRange<UInt32> {
            _ = rib.apply(Self.announcePaths([(id, "192.168.1.\(100 + id)")])[0], from: PeerID(2))
        }
        let first = rib.drainUpdates(for: PeerID(3)).announcements
        #expect(first.count == 20)

        // One changes: it alone is told again, under its identifier.
        _ = rib.apply(Self.announcePaths([(7, "192.168.1.200")])[0], from: PeerID(2))
        let changed = rib.drainUpdates(for: PeerID(3))
        #expect(changed.map(\.nextHop) == [NextHop(address("192.168.1.200"))])
        #expect(
            changed.announcements.map(\.pathID)
                == first.filter { $0.nextHop == NextHop(address("192.168.1.107")) }.map(\.pathID))

        // The next hop stays, other attributes differ: that is a change as well, and so is the way back.
        let same = UpdateMessage.Reach(
            family: .ipv4Unicast, nextHop: NextHop(address("192.168.1.103")), prefixes: [Self.block], pathIDs: [3])
        for preference in [50, 100] as [UInt32] {
            _ = rib.apply(
                UpdateMessage(reachable: [same], attributes: PathAttributes(localPref: preference)), from: PeerID(2))
            let told = rib.drainUpdates(for: PeerID(3))
            #expect(told.count == 1 && told.announcements.map(\.attributes.localPref) == [preference])
        }

        // One goes, one comes; what comes as it was is no message at all.
        _ = rib.apply(Self.withdrawPath(9), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).map(\.isWithdrawalOfPath) == [true])
        _ = rib.apply(Self.announcePaths([(21, "192.168.1.121")])[0], from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).map(\.nextHop) == [NextHop(address("192.168.1.121"))])
        _ = rib.apply(Self.withdrawPath(21), from: PeerID(2))
        _ = rib.apply(Self.announcePaths([(21, "192.168.1.121")])[0], from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).allSatisfy { $0.nextHop == NextHop(address("192.168.1.121")) })

        rib.refresh(.ipv4, for: PeerID(3))
        #expect(rib.drainUpdates(for: PeerID(3)).announcements.count == 20)
        #expect(rib.drainUpdates(for: PeerID(4)).announcements.count == 1)
    }

    @Test("Of more paths than wanted the best are sent")
    func limit() {
        var rib = Self.reflector(maximumPathsSent: 2)
        for (id, preference) in [(1, 100), (2, 300), (3, 200)] {
            let reach = UpdateMessage.Reach(
                family: .ipv4Unicast, nextHop: NextHop(address("192.168.1.\(10 + id)")), prefixes: [Self.block],
                pathIDs: [UInt32(id)])
            _ = rib.apply(
                UpdateMessage(reachable: [reach], attributes: PathAttributes(localPref: UInt32(preference))),
                from: PeerID(2))
        }
        #expect(
            Set(rib.drainUpdates(for: PeerID(3)).announcements.map(\.attributes.localPref)) == [200, 300])
        _ = rib.apply(Self.withdrawPath(2), from: PeerID(2))
        _ = rib.drainUpdates(for: PeerID(3))
        let nextHops = Set(rib.advertised(to: PeerID(3)).map(\.nextHop))
        #expect(nextHops == [address("192.168.1.11"), address("192.168.1.13")])
    }

    @Test("The bytes carry the identifiers, of withdrawals too")
    func bytes() throws {
        var rib = Self.reflector()
        for update in Self.announcePaths([(7, "192.168.1.7")]) { _ = rib.apply(update, from: PeerID(2)) }
        let context = WireContext(isIBGP: true, pathIDsIn: [.ipv4], pathIDsOut: [.ipv4])
        func step() throws -> [UpdateMessage] {
            let deliveries = rib.nextDeliveries(limit: 100) { $0 == PeerID(3) }
            return try deliveries.flatMap { delivery in
                var decoder = MessageDecoder()
                _ = decoder.push(delivery.encoded.bytes)
                var updates: [UpdateMessage] = []
                while case .update(let update)? = try decoder.nextMessage(context) { updates.append(update) }
                return updates
            }
        }
        let told = rib.drainUpdates(for: PeerID(4))
        #expect(told.announced == [Self.block.description])
        let announced = try step().flatMap(\.reachable)
        let id = try #require(announced.first?.pathIDs.first)
        #expect(id != 0)
        _ = rib.apply(Self.withdrawPath(7), from: PeerID(2))
        #expect(try step().flatMap(\.unreachable).map(\.pathIDs) == [[id]])
    }
}

extension OutgoingUpdate {
    fileprivate var nextHop: NextHop? {
        if case .announce(let announcement) = self { announcement.nextHop } else { nil }
    }
    fileprivate var isWithdrawalOfPath: Bool { if case .withdrawPaths = self { true } else { false } }
}
