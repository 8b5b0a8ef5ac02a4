import BGPWire
import NetTypes
import Testing

@Suite("UpdateEncoder")
struct UpdateEncoderTests {
    private let attributes = PathAttributes(asPath: ASPath(65010, 70000), localPref: 100)

    private func prefixes(_ count: Int, _ family: AddressFamily) -> [IPPrefix] {
        (0..<UInt64(count)).map { index in
            switch family {
            case .ipv4:
                IPPrefix(masking: .v4(IPv4Address(rawValue: 0x0a00_0000 + UInt32(index) << 6)), length: 26)
            case .ipv6:
                IPPrefix(masking: .v6(IPv6Address(high: 0xfd00 << 48, low: index << 6)), length: 122)
            }
        }
    }

    private func nextHop(_ family: AddressFamily) throws -> NextHop {
        try .of(family == .ipv4 ? "192.168.77.1" : "fd00:77::1")
    }

    @Test(
        "fills messages to the brim and loses nothing",
        arguments: [AddressFamily.ipv4, .ipv6], [1, 239, 240, 807, 808, 809, 10000])
    func packing(_ family: AddressFamily, _ count: Int) throws {
        let prefixes = prefixes(count, family)
        let nextHop = try nextHop(family)
        for context in [ibgp, WireContext(maximumMessageLength: 65535, isIBGP: true)] {
            let frames = try UpdateEncoder(context).announce(
                prefixes, family: AFISAFI(family), nextHop: nextHop, attributes: attributes)
            let width = family == .ipv4 ? 5 : 17
            for frame in frames.dropLast() {
                #expect(frame.count <= context.maximumMessageLength)
                #expect(frame.count > context.maximumMessageLength - width)
            }
            let messages = try frames.map { try decodeUpdate($0, context) }
            #expect(messages.allSatisfy { $0.attributes == attributes && $0.malformed.isEmpty })
            #expect(messages.flatMap(\.reachable).allSatisfy { $0.nextHop == nextHop })
            #expect(messages.flatMap(\.reachable).flatMap(\.prefixes) == prefixes)
        }
    }

    @Test(
        "an attribute that has passed a speaker which did not know it stays marked, and only that one (RFC 4271 §5)",
        arguments: [7, 8, 16, 32] as [UInt8], [0xC0, 0xE0] as [UInt8])
    func partial(type: UInt8, flags: UInt8) throws {
        let values: [UInt8: String] = [
            7: "c0 07 08 0000fde8 09090909", 8: "c0 08 04 fc000001", 16: "c0 10 08 0002fc0000000001",
            32: "c0 20 0c 000000010000000200000003",
        ]
        let list = values.keys.sorted().compactMap { key -> String? in
            guard let text = values[key] else { return nil }
            return key == type && flags == 0xE0 ? "e0" + text.dropFirst(2) : text
        }
        let bytes = update(
            attributes: "400101 00 4002 00 400304 0a000009 400504 00000064" + list.joined(), nlri: "18 0af401")
        let message = try decodeUpdate(bytes, ibgp)
        let reach = try #require(message.reachable.first)
        let frames = try UpdateEncoder(ibgp).announce(
            reach.prefixes, family: .ipv4Unicast, nextHop: reach.nextHop, attributes: message.attributes)
        #expect(frames == [bytes])
    }

    @Test("leaves less than a prefix free, whatever the attributes take", arguments: [AddressFamily.ipv4, .ipv6])
    func brim(_ family: AddressFamily) throws {
        let width = family == .ipv4 ? 5 : 17
        var fills: Set<Int> = []
        // Each AS more takes four octets more: seventeen paths leave every remainder of both widths.
        for count in 1...17 {
            let path = ASPath(sequence: [ASNumber](repeating: ASNumber(65010), count: count))
            let frames = try UpdateEncoder(ebgp).announce(
                prefixes(1000, family), family: AFISAFI(family), nextHop: try nextHop(family),
                attributes: PathAttributes(asPath: path))
            fills.insert(4096 - (try #require(frames.first)).count)
        }
        #expect(fills == Set(0..<width))
    }

    @Test("withdraws in full messages", arguments: [AddressFamily.ipv4, .ipv6], [1, 238, 815, 10000])
    func withdraw(_ family: AddressFamily, _ count: Int) throws {
        let prefixes = prefixes(count, family)
        let frames = UpdateEncoder(ibgp).withdraw(prefixes, family: AFISAFI(family))
        #expect(frames.dropLast().allSatisfy { (4080...4096).contains($0.count) })
        let messages = try frames.map { try decodeUpdate($0, ibgp) }
        #expect(messages.flatMap(\.unreachable).flatMap(\.prefixes) == prefixes)
        #expect(messages.allSatisfy { $0.reachable.isEmpty && $0.malformed.isEmpty })
    }

    @Test("A node of four blocks is one message of 64 octets")
    func size() throws {
        let frames = try UpdateEncoder(ibgp).announce(
            prefixes(4, .ipv4), family: .ipv4Unicast, nextHop: try nextHop(.ipv4),
            attributes: PathAttributes(localPref: 100))
        #expect(frames.map(\.count) == [64])
    }

    @Test("Every length of prefix comes back", arguments: [AddressFamily.ipv4, .ipv6])
    func lengths(_ family: AddressFamily) throws {
        let ones: IPAddress =
            switch family {
            case .ipv4: .v4(IPv4Address(rawValue: .max))
            case .ipv6: .v6(IPv6Address(high: .max, low: .max))
            }
        let prefixes = (0...family.bitWidth).map { IPPrefix(masking: ones, length: $0) }
        let frames = UpdateEncoder(ibgp).withdraw(prefixes, family: AFISAFI(family))
        let messages = try frames.map { try decodeUpdate($0, ibgp) }
        #expect(messages.flatMap(\.unreachable).flatMap(\.prefixes) == prefixes)
    }

    @Test("No prefixes make no message; prefixes of another family are left out")
    func nothing() throws {
        let encoder = UpdateEncoder(ibgp)
        #expect(encoder.withdraw([], family: .ipv4Unicast).isEmpty)
        #expect(encoder.withdraw(prefixes(3, .ipv6), family: .ipv4Unicast).isEmpty)
        #expect(encoder.withdraw(prefixes(3, .ipv6), family: AFISAFI(afi: 25, safi: 70)).isEmpty)
        let frames = try encoder.announce(
            prefixes(3, .ipv4), family: .ipv6Unicast, nextHop: try nextHop(.ipv6), attributes: attributes)
        #expect(frames.isEmpty)
    }

    @Test("Attributes that leave no room for a prefix are refused, and an UPDATE of them withdraws")
    func tooLong() throws {
        var attributes = attributes
        attributes.communities = (0..<1100).map { Community(rawValue: $0) }
        let encoder = UpdateEncoder(ibgp)
        let nextHop = try nextHop(.ipv4)
        #expect(throws: UpdateEncoder.Failure.self) {
            _ = try encoder.announce(
                prefixes(1, .ipv4), family: .ipv4Unicast, nextHop: nextHop, attributes: attributes)
        }
        let reach = UpdateMessage.Reach(family: .ipv4Unicast, nextHop: nextHop, prefixes: prefixes(2, .ipv4))
        let bytes = BGPMessage.update(UpdateMessage(reachable: [reach], attributes: attributes)).encode(ibgp)
        #expect(try decodeUpdate(bytes, ibgp).unreachable.flatMap(\.prefixes) == prefixes(2, .ipv4))
        let wide = WireContext(maximumMessageLength: 65535, isIBGP: true)
        let frames = try UpdateEncoder(wide).announce(
            prefixes(1, .ipv4), family: .ipv4Unicast, nextHop: nextHop, attributes: attributes)
        #expect(try frames.map { try decodeUpdate($0, wide).attributes } == [attributes])
    }

    @Test("A next hop of another family and a family that is not carried are refused")
    func refused() throws {
        let encoder = UpdateEncoder(ibgp)
        let nextHop = try nextHop(.ipv6)
        #expect(throws: UpdateEncoder.Failure.nextHopFamily(.ipv4Unicast, nextHop)) {
            _ = try encoder.announce([], family: .ipv4Unicast, nextHop: nextHop, attributes: attributes)
        }
        let foreign = AFISAFI(afi: 25, safi: 70)
        #expect(throws: UpdateEncoder.Failure.family(foreign)) {
            _ = try encoder.announce([], family: foreign, nextHop: nextHop, attributes: attributes)
        }
    }

    @Test("What is for the own AS does not leave it")
    func external() throws {
        let crossing = ExtendedCommunity(rawValue: 0x0002_fc00_0000_0005)
        let staying = ExtendedCommunity(rawValue: 0x4002_fc00_0000_0005)
        let inside = PathAttributes(
            asPath: ASPath(65010), med: 3, localPref: 100, extendedCommunities: [staying, crossing],
            originatorID: RouterID("10.0.0.8"), clusterList: [ClusterID(rawValue: 9)])
        let frames = try UpdateEncoder(ebgp).announce(
            prefixes(1, .ipv4), family: .ipv4Unicast, nextHop: try nextHop(.ipv4), attributes: inside)
        let outside = PathAttributes(asPath: ASPath(65010), med: 3, extendedCommunities: [crossing])
        let messages = try frames.map { try decodeUpdate($0, ebgp) }
        #expect(messages.map(\.attributes) == [outside])
        #expect(messages.map(\.malformed) == [[]])
    }

    @Test("Attributes go out in the order of their types, unknown ones among them; a known type in `unknown` does not")
    func order() throws {
        let flags: AttributeFlags = [.optional, .transitive]
        let mixed = PathAttributes(
            communities: [Community(1, 2)], largeCommunities: [LargeCommunity(1, 2, 3)],
            unknown: [200, 23, 8].map { RawAttribute(flags: flags, type: $0, value: [$0]) })
        let frames = try UpdateEncoder(ebgp).announce(
            prefixes(1, .ipv4), family: .ipv4Unicast, nextHop: try nextHop(.ipv4), attributes: mixed)
        let frame = try #require(frames.first)
        var types: [UInt8] = []
        var rest = frame[23...].dropLast(5)
        while rest.count >= 3 {
            types.append(rest[rest.startIndex + 1])
            rest = rest.dropFirst(3 + Int(rest[rest.startIndex + 2]))
        }
        #expect(types == [1, 2, 3, 8, 23, 32, 200])
    }

    @Test("End-of-RIB of each family", arguments: [AFISAFI.ipv4Unicast, .ipv6Unicast, AFISAFI(afi: 25, safi: 70)])
    func endOfRIB(_ family: AFISAFI) throws {
        let message = try decodeUpdate(UpdateEncoder(ibgp).endOfRIB(family), ibgp)
        #expect(message.endOfRIB == family)
        #expect(message == .endOfRIB(family))
    }
}
