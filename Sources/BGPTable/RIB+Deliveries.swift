import BGPWire
import NetTypes

/// What a peer is to be sent next: stretches of bytes that others may share.
package struct OutgoingDelivery: Sendable {
    /// The step, once for all the peers that are sent something of it.
    package let encoded: EncodedStep
    /// The peers that are sent something of it.
    package let recipients: [Recipient]

    /// A peer, and the stretches of `encoded.bytes` that are for it.
    package struct Recipient: Sendable {
        /// The peer.
        package let peer: PeerID
        /// The stretches.
        package let ranges: [Range<Int>]
        /// How many messages they are.
        package let messages: UInt64
    }
}

extension RIB {
    /// The next step for each peer that has one and can take it, made and encoded once for all who are told the same.
    ///
    /// What is handed out counts as sent, as with `nextUpdates`. A peer gets one step at most: it is to be asked about
    /// again when it has sent that one.
    ///
    /// - Parameters:
    ///   - limit: the most prefixes of a step.
    ///   - canTake: whether a peer can take a step now; asked about peers that there may be something for.
    package mutating func nextDeliveries(limit: Int, to canTake: (PeerID) -> Bool) -> [OutgoingDelivery] {
        var served: Set<PeerSlot> = []
        var deliveries: [OutgoingDelivery] = []
        for table in tables.indices {
            tables[table].isStepCutShort = false
            for place in tables[table].groups.indices where tables[table].isBusy(place) {
                deliver(of: table, group: place, limit: limit, served: &served, into: &deliveries, to: canTake)
            }
        }
        return deliveries
    }

    /// A step, and the members that take it.
    private struct Batch {
        let step: UpdateStep
        var slots: [PeerSlot]
    }

    private mutating func deliver(
        of table: Int, group place: Int, limit: Int, served: inout Set<PeerSlot>,
        into deliveries: inout [OutgoingDelivery], to canTake: (PeerID) -> Bool,
    ) {
        guard let audience = tables[table].groups[place]?.audience() else { return }
        var encoder = audience.encoder
        var batches: [Batch] = []
        // Who has been served in the other family would take a step of this one next.
        var isHeldUp = served.isDisjoint(with: audience.slots)
        for slot in audience.slots where !served.contains(slot) {
            // Most changes are not for most groups: when the first member has found so, nobody else need look.
            guard tables[table].isBusy(place) else { break }
            guard let id = speaker.peers.id(at: slot), canTake(id) else { continue }
            isHeldUp = false
            guard let step = tables[table].nextStep(for: slot, limit: limit, isPatient: true, speaker: speaker) else {
                continue
            }
            served.insert(slot)
            // Most take the same step; a group keeps a few of them at most.
            if let known = batches.firstIndex(where: { $0.step === step }) {
                batches[known].slots.append(slot)
            } else {
                batches.append(Batch(step: step, slots: [slot]))
            }
        }
        // The group may have been joined with another meanwhile.
        tables[table].groups[place]?.isHeldUp = isHeldUp
        defer { tables[table].groups[place]?.keep(encoder) }
        for batch in batches {
            let step = batch.step
            let encoded = step.encode(with: &encoder)
            deliveries.append(
                OutgoingDelivery(
                    encoded: encoded,
                    recipients: batch.slots.compactMap { slot in
                        speaker.peers.id(at: slot).map {
                            let share = encoded.share(of: slot, in: step)
                            return OutgoingDelivery.Recipient(
                                peer: $0, ranges: share.ranges, messages: share.messages)
                        }
                    }))
        }
    }
}
