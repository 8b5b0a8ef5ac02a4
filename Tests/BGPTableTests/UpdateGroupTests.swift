import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// Peers that are told the same share the work and nothing else.
@Suite struct UpdateGroupTests {
    private func reflector(clients hosts: ClosedRange<Int>) -> RIB {
        var rib = makeRIB()
        for host in hosts { rib.addPeer(PeerID(UInt32(host)), role: role(host, isReflectorClient: true)) }
        return rib
    }

    private func block(_ number: Int) -> String { "10.244.\(number / 4 % 256).\(number % 4 * 64)/26" }

    /// What each peer learns from the deliveries, until there are none. `isSlow` peers take nothing.
    private func deliver(_ rib: inout RIB, isSlow: Set<UInt32> = []) throws -> (told: [UInt32: [String]], steps: Int) {
        var told: [UInt32: [String]] = [:]
        var steps = 0
        while true {
            let deliveries = rib.nextDeliveries(limit: 100) { !isSlow.contains($0.rawValue) }
            if deliveries.isEmpty { return (told, steps) }
            steps += deliveries.count
            for delivery in deliveries {
                for recipient in delivery.recipients {
                    var messages: UInt64 = 0
                    for range in recipient.ranges {
                        let bytes = delivery.encoded.bytes[range]
                        told[recipient.peer.rawValue, default: []] += try lines(bytes, messages: &messages)
                    }
                    #expect(recipient.messages == messages)
                }
            }
        }
    }

    private func lines(_ bytes: ArraySlice<UInt8>, messages: inout UInt64) throws -> [String] {
        var decoder = MessageDecoder()
        var rest = bytes
        var lines: [String] = []
        while !rest.isEmpty {
            rest = rest.dropFirst(decoder.push(rest))
            while let message = try decoder.nextMessage(WireContext(isIBGP: true)) {
                messages += 1
                guard case .update(let update) = message else { continue }
                lines += update.unreachable.flatMap { $0.prefixes.map { "-\($0)" } }
                lines += update.reachable.flatMap { $0.prefixes.map { "+\($0)" } }
            }
        }
        return lines
    }

    @Test("Clients that come up together are told in the same steps, each all but its own")
    func sharedSteps() throws {
        var rib = reflector(clients: 2...21)
        for host in 2...21 {
            _ = rib.apply(announce([block(host)], via: "192.168.1.\(host)"), from: PeerID(UInt32(host)))
        }
        let (told, steps) = try deliver(&rib)
        #expect(steps == 1)
        for host in 2...21 {
            let others = (2...21).filter { $0 != host }.map { "+\(block($0))" }
            #expect(told[UInt32(host)]?.sorted() == others.sorted())
        }
        #expect(rib.peerStatuses.map(\.advertised) == Array(repeating: 19, count: 20))
    }

    @Test("The same attributes are judged anew where they come from another kind of peer")
    func sources() throws {
        var rib = reflector(clients: 2...2)
        for host in 3...4 { rib.addPeer(PeerID(UInt32(host)), role: role(host)) }
        _ = try deliver(&rib)
        for (number, source) in [2, 3, 3, 2, 2].enumerated() {
            _ = rib.apply(announce([block(number)], via: "192.168.1.9"), from: PeerID(UInt32(source)))
            let (told, _) = try deliver(&rib)
            #expect(told[4] == (source == 2 ? ["+\(block(number))"] : nil))
            #expect(told[2] == (source == 2 ? nil : ["+\(block(number))"]))
        }
    }

    @Test("A slow member holds nobody up, and learns the latest state when it wakes")
    func slowMember() throws {
        var rib = reflector(clients: 2...4)
        _ = try deliver(&rib)
        for round in 0..<200 {
            _ = rib.apply(announce([block(round % 10)], PathAttributes(med: UInt32(round))), from: PeerID(2))
            let (told, _) = try deliver(&rib, isSlow: [3])
            #expect(told[4] == ["+\(block(round % 10))"])
            #expect(told[3] == nil)
        }
        let groups = rib.tables[0].groups.compactMap(\.self)
        #expect(groups.count == 2, "the slow one has left")
        #expect(groups.allSatisfy { $0.steps.count <= UpdateGroup.maximumLag + 1 })
        let (told, _) = try deliver(&rib)
        #expect(told[3]?.sorted() == (0..<10).map { "+\(block($0))" }.sorted())
        #expect(rib.tables[0].groups.compactMap(\.self).count == 1, "it has caught up")
    }

    @Test("A member that joins late is told everything, and then shares the steps of the others")
    func lateMember() throws {
        var rib = reflector(clients: 2...4)
        _ = rib.apply(announce((0..<250).map(block)), from: PeerID(2))
        _ = try deliver(&rib)
        rib.addPeer(PeerID(5), role: role(5, isReflectorClient: true))
        let (first, _) = try deliver(&rib)
        #expect(first.keys.sorted() == [5])
        #expect(first[5]?.count == 250)
        _ = rib.apply(withdraw([block(7)]), from: PeerID(2))
        let (second, steps) = try deliver(&rib)
        #expect(steps == 1)
        #expect(second == [3: ["-\(block(7))"], 4: ["-\(block(7))"], 5: ["-\(block(7))"]])
    }

    @Test("A peer whose session says otherwise is in another group and told its own words")
    func otherRole() throws {
        var rib = reflector(clients: 2...4)
        var own = role(5, isReflectorClient: true, nextHopMode: .ownAddress)
        rib.addPeer(PeerID(5), role: own)
        _ = rib.apply(announce([block(1)]), from: PeerID(2))
        #expect(try deliver(&rib).steps == 2)
        own.nextHopMode = .automatic
        rib.addPeer(PeerID(5), role: own)
        #expect(try deliver(&rib).told[5] == ["+\(block(1))"])
        #expect(rib.tables[0].groups.compactMap(\.self).count == 1)
    }

    @Test("A group whose members take nothing is not held back by the limit of a step")
    func heldUpGroup() throws {
        var rib = reflector(clients: 2...3)
        rib.addPeer(PeerID(5), role: role(5, isReflectorClient: true, nextHopMode: .ownAddress))
        _ = try deliver(&rib)
        _ = rib.apply(announce((0..<250).map(block)), from: PeerID(2))
        var isBehind: [Bool] = []
        while !rib.nextDeliveries(limit: 100, to: { $0 != PeerID(5) }).isEmpty {
            isBehind.append(rib.agenda().isExportBehind)
        }
        #expect(isBehind == [true, true, false])
        #expect(rib.agenda().hasPendingUpdates && !rib.agenda().isExportBehind)
        // When it takes something again, the limit is what holds the rest back.
        #expect(rib.nextDeliveries(limit: 100) { _ in true }.count == 1)
        #expect(rib.agenda().isExportBehind)
        let (told, _) = try deliver(&rib)
        #expect(told[5]?.count == 150)
        #expect(!rib.agenda().hasPendingUpdates)
    }

    @Test("When all are gone nothing is left")
    func nothingIsLeft() throws {
        var rib = reflector(clients: 2...6)
        _ = rib.apply(announce((0..<50).map(block)), from: PeerID(2))
        _ = try deliver(&rib, isSlow: [4, 5])
        for host in 2...6 { rib.removePeer(PeerID(UInt32(host))) }
        _ = rib.drainForwardingChanges()
        #expect(rib.tables[0].groups.allSatisfy { $0 == nil })
        #expect(rib.tables[0].tellings.count == 0)
        #expect(rib.prefixCount(of: .ipv4) == 0 && rib.attributeSetCount == 0)
    }
}
