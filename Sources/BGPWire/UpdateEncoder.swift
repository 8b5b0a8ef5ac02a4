package import NetTypes

/// Writes routes as UPDATEs, as many prefixes in each as fit.
package struct UpdateEncoder: Sendable {
    /// Why routes cannot be announced to this peer.
    package enum Failure: Error, Sendable, Hashable {
        /// The attributes leave no room for a single prefix. RFC 4271 §9.2: the routes are not announced; withdraw
        /// them if they were.
        case attributesTooLong(octets: Int)
        /// The next hop is not of the prefixes' family.
        case nextHopFamily(AFISAFI, NextHop)
        /// The family is not one that Apus carries.
        case family(AFISAFI)
    }

    /// What the session agreed on.
    package let context: WireContext

    /// Makes an encoder for a session.
    package init(_ context: WireContext) {
        self.context = context
    }

    /// The frames that announce `prefixes`. The attributes are encoded once. Prefixes of another family are left out.
    /// Where the session has agreed on path identifiers, each prefix has that of `pathIDs` at its place, or else 0.
    ///
    /// - Throws: `Failure`; nothing is announced then.
    package func announce(
        _ prefixes: some Sequence<IPPrefix>, family: AFISAFI, nextHop: NextHop, attributes: PathAttributes,
        pathIDs: [UInt32] = [],
    ) throws(Failure) -> [[UInt8]] {
        guard let addressFamily = family.family else { throw .family(family) }
        let isForeign = context.ipv6NextHopsForIPv4 && family == .ipv4Unicast && nextHop.address.family == .ipv6
        guard nextHop.address.family == addressFamily || isForeign else { throw .nextHopFamily(family, nextHop) }
        if case .v4(let address) = nextHop.address {
            let encoded = OutboundAttributes(attributes: attributes, nextHop: address).encode(context)
            let room = try room(besides: encoded.count, for: addressFamily)
            return packed(prefixes, addressFamily, pathIDs, room: room) { nlri in
                frame(attributes: [encoded], nlri: nlri)
            }
        }
        let encoded = OutboundAttributes(attributes: attributes, nextHop: nil).encode(context)
        let head = MultiprotocolValue.reachHead(family, nextHop)
        let room = try room(besides: encoded.count + Self.attributeHead + head.count, for: addressFamily)
        return packed(prefixes, addressFamily, pathIDs, room: room) { nlri in
            frame(attributes: [multiprotocol(AttributeType.mpReach, head, nlri), encoded])
        }
    }

    /// The frames that withdraw `prefixes`. Prefixes of another family are left out.
    package func withdraw(
        _ prefixes: some Sequence<IPPrefix>, family: AFISAFI, pathIDs: [UInt32] = [],
    ) -> [[UInt8]] {
        switch family.family {
        case .ipv4:
            let room = context.maximumMessageLength - Self.emptyUpdate
            return packed(prefixes, .ipv4, pathIDs, room: room) { nlri in frame(withdrawn: nlri) }
        case .ipv6:
            let head = MultiprotocolValue.unreachHead(family)
            let room = context.maximumMessageLength - Self.emptyUpdate - Self.attributeHead - head.count
            return packed(prefixes, .ipv6, pathIDs, room: room) { nlri in
                frame(attributes: [multiprotocol(AttributeType.mpUnreach, head, nlri)])
            }
        case nil:
            return []
        }
    }

    /// The frame that says that everything known of a family has been sent (RFC 4724 §2).
    package func endOfRIB(_ family: AFISAFI) -> [UInt8] {
        if family == .ipv4Unicast { return frame() }
        return frame(attributes: [multiprotocol(AttributeType.mpUnreach, MultiprotocolValue.unreachHead(family), [])])
    }

    // MARK: Steps

    /// The header and the two lengths of an UPDATE.
    private static let emptyUpdate = MessageHeader.octets + 4
    /// Flags, type and a length of two octets.
    private static let attributeHead = 4

    /// The octets that are left for prefixes in a message beside `octets` of attributes.
    private func room(besides octets: Int, for family: AddressFamily) throws(Failure) -> Int {
        let room = context.maximumMessageLength - Self.emptyUpdate - octets
        guard room >= NLRI.maximumOctets(family) else { throw .attributesTooLong(octets: octets) }
        return room
    }

    /// The frames that `makeFrame` makes of at most `room` octets of prefixes each.
    private func packed(
        _ prefixes: some Sequence<IPPrefix>, _ family: AddressFamily, _ pathIDs: [UInt32], room: Int,
        makeFrame: ([UInt8]) -> [UInt8],
    ) -> [[UInt8]] {
        let hasPathIDs = context.pathIDsOut.contains(FamilySet(family))
        var frames: [[UInt8]] = []
        var nlri: [UInt8] = []
        var index = 0
        for prefix in prefixes {
            defer { index += 1 }
            guard prefix.family == family else { continue }
            let end = nlri.count
            if hasPathIDs { nlri.append(bigEndian: index < pathIDs.count ? pathIDs[index] : 0) }
            NLRI.encode(prefix, into: &nlri)
            if nlri.count > room, end > 0 {
                frames.append(makeFrame(Array(nlri[..<end])))
                nlri.removeSubrange(..<end)
            }
        }
        if !nlri.isEmpty { frames.append(makeFrame(nlri)) }
        return frames
    }

    private func multiprotocol(_ type: UInt8, _ head: [UInt8], _ nlri: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.attributeHead + head.count + nlri.count)
        OutboundAttributes.append(.optional, type, head + nlri, to: &bytes)
        return bytes
    }

    private func frame(withdrawn: [UInt8] = [], attributes: [[UInt8]] = [], nlri: [UInt8] = []) -> [UInt8] {
        let octets = attributes.reduce(0) { $0 + $1.count }
        let total = Self.emptyUpdate + withdrawn.count + octets + nlri.count
        return MessageHeader.frame(.update, capacity: total) { bytes in
            bytes.append(bigEndian: UInt16(truncatingIfNeeded: withdrawn.count))
            bytes.append(contentsOf: withdrawn)
            bytes.append(bigEndian: UInt16(truncatingIfNeeded: octets))
            for part in attributes { bytes.append(contentsOf: part) }
            bytes.append(contentsOf: nlri)
        }
    }
}
