import BGPWire
import NetTypes
import Testing

@Suite("Path identifiers and next hops of another family")
struct PathIDTests {
    private static let paths = WireContext(isIBGP: true, pathIDsIn: [.ipv4, .ipv6], pathIDsOut: [.ipv4, .ipv6])
    private static let mixed = WireContext(isIBGP: true, ipv6NextHopsForIPv4: true)
    private static let good = "400101 00 4002 00 400304 0a000009 400504 00000064"

    @Test("Each prefix of IPv4 has an identifier, announced and withdrawn")
    func ipv4() throws {
        let bytes = update(
            withdrawn: "00000007 18 0af402", attributes: Self.good, nlri: "00000001 18 0af401 00000002 18 0af401")
        let message = try decodeUpdate(bytes, Self.paths)
        #expect(message.unreachable.map(\.pathIDs) == [[7]])
        #expect(message.reachable.map(\.pathIDs) == [[1, 2]])
        #expect(message.reachable[0].prefixes == [try .of("10.244.1.0/24"), try .of("10.244.1.0/24")])
        var decoder = MessageDecoder()
        #expect(decoder.push(BGPMessage.update(message).encode(Self.paths)) > 0)
        var again: [UpdateMessage] = []
        while case .update(let part)? = try decoder.nextMessage(Self.paths) { again.append(part) }
        #expect(again.flatMap(\.unreachable) == message.unreachable)
        #expect(again.flatMap(\.reachable) == message.reachable)
    }

    @Test("Each prefix of IPv6 has an identifier, announced and withdrawn")
    func ipv6() throws {
        let nextHop = "20010db8000000000000000000000009"
        let reach = "800e 1e 000201 10 \(nextHop) 00 00000005 20 fd000001"
        let bytes = update(attributes: "\(reach) 400101 00 4002 00 400504 00000064")
        let message = try decodeUpdate(bytes, Self.paths)
        #expect(message.reachable.map(\.pathIDs) == [[5]])
        #expect(BGPMessage.update(message).encode(Self.paths) == bytes)
        let gone = update(attributes: "800f 0c 000201 00000005 20 fd000001")
        #expect(try decodeUpdate(gone, Self.paths).unreachable.map(\.pathIDs) == [[5]])
        #expect(BGPMessage.update(try decodeUpdate(gone, Self.paths)).encode(Self.paths) == gone)
    }

    @Test("Without the agreement an identifier is no part of a prefix")
    func unagreed() throws {
        let error = try sessionError(update(attributes: Self.good, nlri: "00000001 18 0af401 ff"), ibgp)
        #expect(error.notification.subcode == 10)
        let cut = try sessionError(update(attributes: Self.good, nlri: "0000 18"), Self.paths)
        #expect(cut.notification.subcode == 10)
    }

    @Test("An IPv4 prefix goes over an IPv6 next hop where that is agreed, and ends the session where it is not")
    func extendedNextHop() throws {
        let nextHop = "20010db8000000000000000000000009"
        let bytes = update(
            attributes: "800e 19 000101 10 \(nextHop) 00 18 0af401 400101 00 4002 00 400504 00000064")
        let message = try decodeUpdate(bytes, Self.mixed)
        #expect(message.reachable.map(\.family) == [.ipv4Unicast])
        #expect(message.reachable.map(\.nextHop) == [try .of("2001:db8::9")])
        #expect(message.reachable.flatMap(\.prefixes) == [try .of("10.244.1.0/24")])
        #expect(BGPMessage.update(message).encode(Self.mixed) == bytes)
        #expect(try sessionError(bytes, ibgp).notification.subcode == 9)
    }
}
