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

    /// What was encoded last. What is announced next has the same attributes more often than not.
    private struct Last: Sendable {
        let outbound: OutboundAttributes
        let octets: [UInt8]
    }

    /// What the session agreed on.
    package let context: WireContext
    /// One or none.
    private var last: [Last] = []

    /// Makes an encoder for a session.
    package init(_ context: WireContext) {
        self.context = context
    }

    /// Appends the frames that announce `prefixes`. The attributes are encoded once. Prefixes of another family are left
    /// out. Where the session has agreed on path identifiers, each prefix has that of `pathIDs` at its place, or else 0.
    ///
    /// - Throws: `Failure`; nothing is announced then.
    package mutating func announce(
        _ prefixes: [IPPrefix], family: AFISAFI, nextHop: NextHop, attributes: PathAttributes,
        pathIDs: [UInt32] = [], into bytes: inout [UInt8],
    ) throws(Failure) {
        guard let addressFamily = family.family else { throw .family(family) }
        let isForeign = context.ipv6NextHopsForIPv4 && family == .ipv4Unicast && nextHop.address.family == .ipv6
        guard nextHop.address.family == addressFamily || isForeign else { throw .nextHopFamily(family, nextHop) }
        if case .v4(let address) = nextHop.address {
            let encoded = encode(OutboundAttributes(attributes: attributes, nextHop: address))
            let room = try room(besides: encoded.count, for: addressFamily)
            pack(prefixes, addressFamily, pathIDs, room: room, into: &bytes) { bytes in
                bytes.append(bigEndian: UInt16(0))
                bytes.append(bigEndian: UInt16(truncatingIfNeeded: encoded.count))
                bytes.append(contentsOf: encoded)
            } end: { _, _ in
            }
            return
        }
        let encoded = encode(OutboundAttributes(attributes: attributes, nextHop: nil))
        let head = MultiprotocolValue.reachHead(family, nextHop)
        let room = try room(besides: encoded.count + Self.attributeHead + head.count, for: addressFamily)
        pack(prefixes, addressFamily, pathIDs, room: room, into: &bytes) { bytes in
            beginMultiprotocol(AttributeType.mpReach, head, into: &bytes)
        } end: { bytes, start in
            endMultiprotocol(&bytes, from: start, followedBy: encoded)
        }
    }

    /// The frames that announce `prefixes`, one by one.
    ///
    /// - Throws: `Failure`; nothing is announced then.
    package func announce(
        _ prefixes: some Sequence<IPPrefix>, family: AFISAFI, nextHop: NextHop, attributes: PathAttributes,
        pathIDs: [UInt32] = [],
    ) throws(Failure) -> [[UInt8]] {
        var bytes: [UInt8] = []
        var encoder = self
        try encoder.announce(
            Array(prefixes), family: family, nextHop: nextHop, attributes: attributes, pathIDs: pathIDs, into: &bytes)
        return Self.frames(of: bytes)
    }

    /// Appends the frames that withdraw `prefixes`. Prefixes of another family are left out.
    package func withdraw(
        _ prefixes: [IPPrefix], family: AFISAFI, pathIDs: [UInt32] = [], into bytes: inout [UInt8],
    ) {
        switch family.family {
        case .ipv4:
            let room = context.maximumMessageLength - Self.emptyUpdate
            pack(prefixes, .ipv4, pathIDs, room: room, into: &bytes) { bytes in
                bytes.append(bigEndian: UInt16(0))
            } end: { bytes, start in
                let length = bytes.count - start - MessageHeader.octets - 2
                Self.put(length, into: &bytes, at: start + MessageHeader.octets)
                bytes.append(bigEndian: UInt16(0))
            }
        case .ipv6:
            let head = MultiprotocolValue.unreachHead(family)
            let room = context.maximumMessageLength - Self.emptyUpdate - Self.attributeHead - head.count
            pack(prefixes, .ipv6, pathIDs, room: room, into: &bytes) { bytes in
                beginMultiprotocol(AttributeType.mpUnreach, head, into: &bytes)
            } end: { bytes, start in
                endMultiprotocol(&bytes, from: start, followedBy: [])
            }
        case nil:
            break
        }
    }

    /// The frames that withdraw `prefixes`, one by one.
    package func withdraw(
        _ prefixes: some Sequence<IPPrefix>, family: AFISAFI, pathIDs: [UInt32] = [],
    ) -> [[UInt8]] {
        var bytes: [UInt8] = []
        withdraw(Array(prefixes), family: family, pathIDs: pathIDs, into: &bytes)
        return Self.frames(of: bytes)
    }

    /// The frame that says that everything known of a family has been sent (RFC 4724 §2).
    package func endOfRIB(_ family: AFISAFI) -> [UInt8] {
        if family == .ipv4Unicast { return frame() }
        var value: [UInt8] = []
        OutboundAttributes.append(
            .optional, AttributeType.mpUnreach, MultiprotocolValue.unreachHead(family), to: &value)
        return frame(attributes: [value])
    }

    // MARK: Steps

    /// The header and the two lengths of an UPDATE.
    private static let emptyUpdate = MessageHeader.octets + 4
    /// Flags, type and a length of two octets.
    private static let attributeHead = 4

    private mutating func encode(_ outbound: OutboundAttributes) -> [UInt8] {
        if let last = last.first, last.outbound == outbound { return last.octets }
        let octets = outbound.encode(context)
        let encoded = Last(outbound: outbound, octets: octets)
        if last.isEmpty { last.append(encoded) } else { last[0] = encoded }
        return octets
    }

    /// The octets that are left for prefixes in a message beside `octets` of attributes.
    private func room(besides octets: Int, for family: AddressFamily) throws(Failure) -> Int {
        let room = context.maximumMessageLength - Self.emptyUpdate - octets
        guard room >= NLRI.maximumOctets(family) else { throw .attributesTooLong(octets: octets) }
        return room
    }

    /// Appends frames of at most `room` octets of prefixes each: the header, what `begin` writes, the prefixes, and what
    /// `end` makes of it, who is told where the frame starts.
    private func pack(
        _ prefixes: [IPPrefix], _ family: AddressFamily, _ pathIDs: [UInt32], room: Int, into bytes: inout [UInt8],
        begin: (inout [UInt8]) -> Void, end: (inout [UInt8], Int) -> Void,
    ) {
        var start: Int?
        var limit = 0
        let pathIDOctets = context.pathIDsOut.contains(family) ? NLRI.pathIDOctets : 0
        if bytes.isEmpty {
            let each = NLRI.maximumOctets(family) - NLRI.pathIDOctets + pathIDOctets
            bytes.reserveCapacity(context.maximumMessageLength - room + prefixes.count * each)
        }
        for (index, prefix) in prefixes.enumerated() where prefix.family == family {
            let octets = pathIDOctets + 1 + (Int(prefix.length) + 7) / 8
            if let open = start, bytes.count + octets > limit {
                end(&bytes, open)
                MessageHeader.close(&bytes, from: open)
                start = nil
            }
            if start == nil {
                start = bytes.count
                MessageHeader.open(.update, &bytes)
                begin(&bytes)
                limit = bytes.count + room
            }
            if pathIDOctets > 0 { bytes.append(bigEndian: index < pathIDs.count ? pathIDs[index] : 0) }
            NLRI.encode(prefix, into: &bytes)
        }
        if let open = start {
            end(&bytes, open)
            MessageHeader.close(&bytes, from: open)
        }
    }

    /// No withdrawn routes, a length to be filled in, and an attribute of four octets of head whose value begins so.
    private func beginMultiprotocol(_ type: UInt8, _ head: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(bigEndian: UInt32(0))
        bytes.append(AttributeFlags.optional.union(.extendedLength).rawValue)
        bytes.append(type)
        bytes.append(bigEndian: UInt16(0))
        bytes.append(contentsOf: head)
    }

    private func endMultiprotocol(_ bytes: inout [UInt8], from start: Int, followedBy rest: [UInt8]) {
        let attributes = start + MessageHeader.octets + 4
        let octets = bytes.count - attributes - Self.attributeHead
        if octets <= UInt8.max {
            bytes[attributes] = AttributeFlags.optional.rawValue
            bytes.remove(at: attributes + 2)
            bytes[attributes + 2] = UInt8(octets)
        } else {
            Self.put(octets, into: &bytes, at: attributes + 2)
        }
        bytes.append(contentsOf: rest)
        Self.put(bytes.count - attributes, into: &bytes, at: attributes - 2)
    }

    private static func put(_ value: Int, into bytes: inout [UInt8], at place: Int) {
        bytes[place] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[place + 1] = UInt8(truncatingIfNeeded: value)
    }

    private static func frames(of bytes: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let place = start + MessageHeader.octets - 3
            let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
            frames.append(Array(bytes[start..<start + length]))
            start += length
        }
        return frames
    }

    private func frame(attributes: [[UInt8]] = []) -> [UInt8] {
        let octets = attributes.reduce(0) { $0 + $1.count }
        return MessageHeader.frame(.update, capacity: Self.emptyUpdate + octets) { bytes in
            bytes.append(bigEndian: UInt16(0))
            bytes.append(bigEndian: UInt16(truncatingIfNeeded: octets))
            for part in attributes { bytes.append(contentsOf: part) }
        }
    }
}
