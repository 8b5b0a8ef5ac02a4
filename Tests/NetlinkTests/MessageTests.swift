import LinuxOS
import NetTypes
import Testing

@testable import Netlink

@Suite("Messages")
struct MessageTests {
    private static let routes: [Route] = [
        Route(
            to: IPPrefix(masking: .v4(.init(10, 1, 0, 0)), length: 26),
            hops: [.init(linkIndex: 3, gateway: .v4(.init(192, 168, 1, 2)), isOnLink: true)], metric: 5,
            protocolNumber: 97, preferredSource: .v4(.init(192, 168, 1, 1))),
        Route(
            to: IPPrefix(masking: .v4(.init(10, 2, 0, 0)), length: 26),
            hops: [
                .init(linkIndex: 3, gateway: .v6(.init(high: 0xfd00 << 48, low: 2))),
                .init(linkIndex: 4, gateway: .v4(.init(192, 168, 2, 2)), isOnLink: true),
            ], protocolNumber: 97),
        Route(
            to: IPPrefix(masking: .v6(.init(high: 0xfd01 << 48, low: 0)), length: 64), kind: .blackhole,
            protocolNumber: 97),
    ]

    @Test("A route read from the octets it was written to is the same", arguments: routes)
    func route(route: Route) throws {
        let payload = try payload(of: .addRoute(route))
        #expect(decode(payload) { Route(payload: $0) } == route.canonical)
    }

    @Test("The metric that is left out is the kernel's default")
    func defaultMetric() {
        #expect(Route.canonicalMetric(Route.defaultIPv6Metric, .ipv6) == 0)
        for route in Self.routes where route.metric == 0 {
            #expect(Route.canonicalMetric(route.effectiveMetric, route.destination.family) == 0)
        }
    }

    @Test("Neighbours and addresses read from the octets they were written to are the same")
    func others() throws {
        let address = IPAddress.v6(.init(high: 0xfe80 << 48, low: 9))
        let neighbour = Neighbour(linkIndex: 7, address: address, macAddress: .hostEnd, protocolNumber: 97)
        #expect(decode(try payload(of: .setNeighbour(neighbour))) { Neighbour(payload: $0) } == neighbour)
        let own = LinkAddress(linkIndex: 7, address: CIDRAddress(address, length: 64))
        #expect(decode(try payload(of: .addAddress(own))) { LinkAddress(payload: $0) } == own)
    }

    @Test("Octets cut short or changed anywhere are read without a trap, and never beyond their end")
    func hostile() throws {
        let requests: [NetlinkRequest] =
            Self.routes.map { .addRoute($0) } + [
                .setLink(index: 3, LinkSettings(isUp: true, mtuBytes: 1500, alias: "apus:a:b:c", proxyARP: true)),
                .setNeighbour(Neighbour(linkIndex: 3, address: .v4(.init(10, 0, 0, 1)), macAddress: .hostEnd)),
            ]
        var visited = 0
        for request in requests {
            let whole = try datagram(of: request)
            for length in 0...whole.count { visited += visit(Array(whole.prefix(length))) }
            for place in whole.indices {
                for value: UInt8 in [0, 1, 3, 4, 0x7f, 0x80, 0xff] {
                    var changed = whole
                    changed[place] = value
                    visited += visit(changed)
                }
            }
        }
        #expect(visited > requests.count)
    }

    @Test("A nest without content is left out, and a message that overflows says so")
    func builder() throws {
        var message = try NetlinkMessage()
        NetlinkRequest.setLink(index: 1, LinkSettings(isUp: true)).write(to: &message)
        // struct nlmsghdr and struct ifinfomsg alone.
        let length = message.length
        #expect(length == 32)
        message.put(1, bytes: [UInt8](repeating: 0, count: 20_000))
        let isOverfull = message.isOverfull
        #expect(isOverfull)
        NetlinkRequest.deleteLink(index: 1).write(to: &message)
        let isOverfullAgain = message.isOverfull
        #expect(!isOverfullAgain)
    }

    @Test("The canonical form is what the kernel shows")
    func canonical() {
        let prefix = IPPrefix(masking: .v6(.init(high: 0xfd01 << 48, low: 0)), length: 64)
        let written = Route(
            to: prefix, kind: .blackhole, hops: [.init(linkIndex: 1)], scope: .link, metric: 1024, protocolNumber: 97)
        #expect(written.canonical == Route(to: prefix, kind: .blackhole, protocolNumber: 97))
    }

    private func datagram(of request: NetlinkRequest) throws -> [UInt8] {
        var message = try NetlinkMessage()
        request.write(to: &message)
        let isOverfull = message.isOverfull
        #expect(!isOverfull)
        var datagram: [UInt8] = []
        message.append(to: &datagram, sequence: 1, flags: 0)
        return datagram
    }

    private func payload(of request: NetlinkRequest) throws -> [UInt8] {
        // struct nlmsghdr.
        Array(try datagram(of: request).dropFirst(16))
    }

    private func decode<Value>(_ bytes: [UInt8], _ body: (RawSpan) -> Value?) -> Value? {
        // SAFETY: octets are without padding.
        unsafe body(bytes.span.bytes)
    }

    /// Reads a datagram as each kind of object; the number of messages found.
    private func visit(_ bytes: [UInt8]) -> Int {
        var count = 0
        // SAFETY: octets are without padding.
        let span = unsafe bytes.span.bytes
        NetlinkReader.forEachMessage(in: span) { header, payload in
            count += 1
            _ = Route(payload: payload)
            _ = Link(payload: payload)
            _ = LinkAddress(payload: payload)
            _ = Neighbour(payload: payload)
            for flags in [header.flags, 0x200, 0x100, 0x300] {
                for type in [2, 3] {
                    _ = NetlinkReader.outcome(
                        NetlinkHeader(type: type, flags: flags, sequence: header.sequence), payload)
                }
            }
        }
        return count
    }
}
