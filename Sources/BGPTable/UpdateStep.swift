package import BGPWire
package import NetTypes

/// One step of what a group of peers is told: made once, encoded once, and taken by each member when it can.
///
/// Not every part is for every member: a route does not go back to where it came from.
package final class UpdateStep: Sendable {
    /// Which members of the group a part is for.
    enum Audience: Sendable, Hashable {
        /// All but these, which are few.
        case allBut([PeerSlot])
        /// These alone.
        case only([PeerSlot])

        func contains(_ slot: PeerSlot) -> Bool {
            switch self {
            case .allBut(let slots): !slots.contains(slot)
            case .only(let slots): slots.contains(slot)
            }
        }
    }

    /// One update and whom it is for.
    struct Part: Sendable {
        let update: OutgoingUpdate
        let audience: Audience
    }

    let parts: [Part]
    /// What was known before the step, for a member that leaves the group before it has taken it.
    let before: AdjRIBOut.Progress
    /// The prefixes whose telling the step changed, and to whom they were told before; each holds a reference.
    let undo: [AdjRIBOut.Former]
    /// Whether every part is for everybody.
    let isForAll: Bool

    init(parts: [Part], before: AdjRIBOut.Progress, undo: [AdjRIBOut.Former]) {
        self.parts = parts
        self.before = before
        self.undo = undo
        isForAll = parts.allSatisfy { $0.audience == .allBut([]) }
    }

    /// Whether anything in it is for the member.
    func concerns(_ slot: PeerSlot) -> Bool { parts.contains { $0.audience.contains(slot) } }

    /// What the member is told.
    func updates(for slot: PeerSlot) -> [OutgoingUpdate] {
        parts.filter { $0.audience.contains(slot) }.map(\.update)
    }

    /// The frames of all parts, back to back, and where each part ends.
    func encode(with encoder: inout UpdateEncoder) -> EncodedStep {
        var encoded = EncodedStep()
        for part in parts {
            encoded.append(part.update, with: &encoder)
        }
        return encoded
    }
}

/// A step as the wire has it.
package struct EncodedStep: Sendable {
    /// Routes that could not be announced.
    package struct Failure: Sendable, Hashable {
        /// Why not.
        package let reason: UpdateEncoder.Failure
        /// The networks.
        package let prefixes: [IPPrefix]
    }

    /// The frames of all parts.
    package private(set) var bytes: [UInt8] = []
    /// The parts of it that could not be announced and were withdrawn instead (RFC 4271 §9.2).
    package private(set) var failures: [Failure] = []
    /// Where each part ends in `bytes`.
    private(set) var ends: [Int] = []
    /// How many messages each part is.
    private var counts: [UInt64] = []

    mutating func append(_ update: OutgoingUpdate, with encoder: inout UpdateEncoder) {
        switch update {
        case .withdraw(let family, let prefixes):
            encoder.withdraw(prefixes, family: AFISAFI(family), into: &bytes)
        case .withdrawPaths(let family, let prefixes, let pathID):
            encoder.withdraw(
                prefixes, family: AFISAFI(family), pathIDs: pathIDs(pathID, for: prefixes), into: &bytes)
        case .endOfRIB(let family):
            bytes += encoder.endOfRIB(AFISAFI(family))
        case .announce(let announcement):
            do throws(UpdateEncoder.Failure) {
                try encoder.announce(
                    announcement.prefixes, family: AFISAFI(announcement.family), nextHop: announcement.nextHop,
                    attributes: announcement.attributes,
                    pathIDs: pathIDs(announcement.pathID, for: announcement.prefixes), into: &bytes)
            } catch {
                failures.append(Failure(reason: error, prefixes: announcement.prefixes))
                encoder.withdraw(
                    announcement.prefixes, family: AFISAFI(announcement.family),
                    pathIDs: pathIDs(announcement.pathID, for: announcement.prefixes), into: &bytes)
            }
        }
        counts.append(messages(from: ends.last ?? 0))
        ends.append(bytes.count)
    }

    /// How many messages there are from a place on: each says how long it is (RFC 4271 §4.1).
    private func messages(from start: Int) -> UInt64 {
        var (place, count) = (start, 0 as UInt64)
        while place + 18 <= bytes.count {
            place += max(Int(bytes[place + 16]) << 8 | Int(bytes[place + 17]), 19)
            count += 1
        }
        return count
    }

    private func pathIDs(_ id: UInt32, for prefixes: [IPPrefix]) -> [UInt32] {
        id == 0 ? [] : Array(repeating: id, count: prefixes.count)
    }

    /// The stretches of `bytes` that are for the member, as few as there can be, and how many messages they are.
    func share(of slot: PeerSlot, in step: UpdateStep) -> (ranges: [Range<Int>], messages: UInt64) {
        if step.isForAll { return ([0..<bytes.count], counts.reduce(0, +)) }
        var ranges: [Range<Int>] = []
        var messages: UInt64 = 0
        var start = 0
        for (place, (part, end)) in zip(step.parts, ends).enumerated() {
            if part.audience.contains(slot), start < end {
                messages += counts[place]
                if let last = ranges.last, last.upperBound == start {
                    ranges[ranges.count - 1] = last.lowerBound..<end
                } else {
                    ranges.append(start..<end)
                }
            }
            start = end
        }
        return (ranges, messages)
    }
}

extension AFISAFI {
    /// Unicast of the family.
    init(_ family: AddressFamily) {
        self = family == .ipv4 ? .ipv4Unicast : .ipv6Unicast
    }
}
