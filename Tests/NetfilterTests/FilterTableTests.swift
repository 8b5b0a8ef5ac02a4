import NetTypes
import TestKit
import Testing

@testable import Netfilter

/// The table in a namespace of its own, in which nobody else has a table.
@Suite(.enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct FilterTableTests {
    @Test("the table is made once, and left alone when it is as it should be")
    func idempotence() async throws {
        try await NetNSFixture.run { _ in
            #expect(try FilterTable.current() == nil)
            #expect(try FilterTable.apply() == .made)
            #expect(try FilterTable.current() == FilterRules().text)
            #expect(try FilterTable.apply() == .none)
            try FilterTable.remove()
            #expect(try FilterTable.current() == nil)
            try FilterTable.remove()
        }
    }

    @Test("the table is what nft makes of it, however many pools there are, and altered it is written anew")
    func masquerade() async throws {
        let pools = (0..<40).compactMap { IPPrefix("10.\($0).0.0/16") } + [IPPrefix("10.99.0.7/32")].compactMap { $0 }
        let six = [IPPrefix("fd00:244::/48"), IPPrefix("fd00:1::/64")].compactMap { $0 }
        try await NetNSFixture.run { _ in
            let rules = FilterRules(masquerade: Masquerade(sources: pools, pools: six))
            #expect(try FilterTable.apply(rules) == .made)
            #expect(try FilterTable.apply(rules) == .none)
            let both = FilterRules(masquerade: Masquerade(sources: pools + six, vxlanPort: 50000))
            #expect(try FilterTable.apply(both) == .replaced)
            #expect(try FilterTable.apply(both) == .none)
            #expect(try FilterTable.apply() == .replaced)
            try FilterTable.remove()
        }
    }

    @Test("the tunnels' guard is what nft makes of it, however many nodes there are")
    func tunnels() async throws {
        let nodes = (1...300).compactMap { IPAddress("192.168.\($0 / 250).\($0 % 250 + 1)") }
        let six = ["fd00::1", "fd00::2", "fd00::a"].compactMap { IPAddress($0) }
        try await NetNSFixture.run { _ in
            for guardian in [
                TunnelGuard(nodes: nodes + six, vxlanPort: 4789, hasIPIP: true),
                TunnelGuard(nodes: nodes, hasIPIP: true),
                TunnelGuard(nodes: six, vxlanPort: 8472),
                TunnelGuard(
                    nodes: nodes, vxlanPort: 4789, hasIPIP: true, podsMaySendVXLAN: true, podsMaySendIPIP: true),
            ] {
                #expect(try FilterTable.apply(FilterRules(tunnels: guardian)) != .none)
                #expect(try FilterTable.apply(FilterRules(tunnels: guardian)) == .none)
            }
            try FilterTable.remove()
        }
        #expect(TunnelGuard(nodes: nodes).chains.isEmpty && TunnelGuard(nodes: nodes).sets.isEmpty)
        #expect(TunnelGuard(vxlanPort: 4789, hasIPIP: true).chains.isEmpty)
    }
}

struct MasqueradeTests {
    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    @Test("without a pool that asks for it there is neither set nor chain")
    func empty() throws {
        let none = Masquerade(pools: [try prefix("10.0.0.0/8")])
        #expect(none.sets.isEmpty && none.chain.isEmpty)
    }

    @Test("a pool inside another is not named twice, and a source is a pool")
    func overlap() throws {
        let both = Masquerade(
            sources: [try prefix("10.1.0.0/16"), try prefix("10.0.0.0/8")], pools: [try prefix("192.168.0.0/16")])
        #expect(both.sources.map(\.description) == ["10.0.0.0/8"])
        #expect(both.pools.map(\.description) == ["10.0.0.0/8", "192.168.0.0/16"])
    }

    @Test(
        "the tunnel's port is never chosen",
        arguments: [
            (4789, "4790-65535"), (8472, "8473-65535"), (33279, "33280-65535"), (33280, "1024-33279"),
            (65535, "1024-65534"), (1, "1024-65535"), (1023, "1024-65535"), (1024, "1025-65535"),
        ] as [(UInt16, String)])
    func ports(port: UInt16, range: String) throws {
        let masquerade = Masquerade(sources: [try prefix("10.0.0.0/8")], vxlanPort: port)
        #expect(masquerade.chain.contains { $0.contains("meta l4proto 17 masquerade to :\(range) fully-random") })
    }
}
