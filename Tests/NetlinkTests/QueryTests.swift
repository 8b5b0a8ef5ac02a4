import NetTypes
import TestKit
import Testing

@testable import Netlink

@Suite("What a kernel answers beyond the question, and dumps that others cut across")
struct QueryTests {
    private func route(_ prefix: String, link: UInt32 = 2, proto: UInt8 = 97) throws -> Route {
        Route(to: try #require(IPPrefix(prefix)), hops: [.init(linkIndex: link, gateway: nil)], protocolNumber: proto)
    }

    @Test("routes of another family, protocol or link than was asked for are left out")
    func filter() throws {
        let own = try route("fd00::/64")
        #expect(own.isAskedFor(nil, .ipv6, linkIndex: nil))
        #expect(own.isAskedFor(97, .ipv6, linkIndex: 2))
        #expect(!own.isAskedFor(nil, .ipv4, linkIndex: nil))
        #expect(!own.isAskedFor(3, .ipv6, linkIndex: nil))
        #expect(!own.isAskedFor(97, .ipv6, linkIndex: 3))
        // A kernel without IPv6 answers with what it has.
        #expect(!(try route("10.0.0.0/8").isAskedFor(nil, .ipv6, linkIndex: nil)))
    }

    @Test(
        "an address tells whether the kernel has a route to its network",
        .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
    func prefixRoutes() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add one up type bridge")
            for text in ["192.168.1.1/24", "192.168.2.1/24 noprefixroute", "fd00::1/64 nodad noprefixroute"] {
                try fixture.ip("address add \(text) dev one")
            }
            var socket = try NetlinkSocket()
            let found = try socket.addresses().filter(\.hasPrefixRoute).map(\.address.description)
            #expect(found.contains("192.168.1.1/24"))
            #expect(!found.contains("192.168.2.1/24") && !found.contains("fd00::1/64"))
        }
    }

    @Test(
        "a look-up from an address of the node finds what a rule for that address leads to",
        .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
    func lookUpFrom() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add one up type bridge")
            for (own, near, far, flag) in [
                ("192.168.1.1/24", "192.168.1.2", "172.31.9.0/24", ""),
                ("fd00:1::1/64", "fd00:1::2", "fd00:9::/64", "-6 "),
            ] {
                try fixture.ip("address add \(own) dev one\(flag.isEmpty ? "" : " nodad")")
                try fixture.ip("\(flag)route add \(far) via \(near) table 100")
                try fixture.ip("\(flag)rule add from \(own.prefix { $0 != "/" }) lookup 100")
                let source = try #require(CIDRAddress(own)).address
                let target = try #require(IPAddress(far.hasPrefix("fd") ? "fd00:9::9" : "172.31.9.9"))
                var socket = try NetlinkSocket()
                #expect(try socket.lookUp(target).hasNoRoute)
                let found = try socket.lookUp(target, from: source)
                #expect(found.kind == .unicast && !found.hasNoRoute)
                #expect(found.gateway?.description == near)
            }
        }
    }

    @Test("the first two attempts follow each other, the others after pauses that grow to 32 ms")
    func pauses() {
        let milliseconds = (0..<10).map { NetlinkSocket.pauseNanoseconds(before: $0) / 1_000_000 }
        #expect(milliseconds == [0, 0, 1, 2, 4, 8, 16, 32, 32, 32])
    }
}
