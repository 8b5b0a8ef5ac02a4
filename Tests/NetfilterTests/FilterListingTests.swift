import NetTypes
import Testing

@testable import Netfilter

@Suite("What nft lists is known again, in whatever words")
struct FilterListingTests {
    private static let rules = FilterRules(
        masquerade: Masquerade(sources: ["10.0.0.0/8", "fd00::/48"].compactMap { IPPrefix($0) }),
        tunnels: TunnelGuard(
            nodes: ["192.168.1.1", "192.168.1.2", "fd00:1::1"].compactMap { IPAddress($0) }, vxlanPort: 4789,
            hasIPIP: true))

    private static func listed(_ word: String, as other: String) -> String {
        rules.text.split(separator: word, omittingEmptySubsequences: false).joined(separator: other)
    }

    @Test("words of versions that are known are those that were written")
    func knownWords() {
        let listing = Self.listed("iif oif missing", as: "iif check missing")
        #expect(listing != Self.rules.text)
        #expect(FilterListing().shows(Self.rules, in: listing))
    }

    @Test(
        "other words are known after the own writing, and not before",
        arguments: [
            ("l4proto 17", "l4proto udp"), ("ip protocol 4", "ip protocol ipv4"), ("fully-random", "random-fully"),
            ("priority raw", "priority -300"), ("192.168.1.1, ", "192.168.1.1,\n\t\t\t"),
            ("oif missing", "oif exists no"), ("flags interval", "flags interval\n\t\tauto-merge"),
        ])
    func otherWords(word: String, other: String) {
        let listing = Self.listed(word, as: other)
        let isNew = FilterTable.words(of: listing) != FilterTable.words(of: Self.rules.text)
        #expect(FilterListing().shows(Self.rules, in: listing) != isNew)
        let known = FilterListing(of: Self.rules, listing)
        #expect(known.shows(Self.rules, in: listing))
        #expect(known.shows(Self.rules, in: Self.rules.text))
        #expect(!known.shows(FilterRules(), in: listing))
        #expect(!known.shows(Self.rules, in: listing + "table ip6 apus {\n}\n"))
    }

    @Test(
        "what somebody changes between writing and listing is not taken for the own",
        arguments: [
            ("counter drop", "counter accept"), ("counter drop", "counter drop\n\t\ttcp dport 22"),
            ("\t\tiifname \"cali*\" fib", "\t\tiifname \"eth0\" fib"), ("192.168.1.2", "192.168.1.3"),
            ("10.0.0.0/8", "10.0.0.0/9"), ("hook input", "hook forward"), ("@pools4", "@nat4"),
            ("policy accept", "policy drop"), ("\tchain rpf {", "\tchain other {\n\t}\n\tchain rpf {"),
            ("masquerade fully-random", "return"), ("elements = { fd00:1::1 }", ""),
            ("table ip6 apus", "table ip6 other"),
        ])
    func intruder(word: String, other: String) {
        let listing = Self.listed(word, as: other)
        #expect(!FilterListing(of: Self.rules, listing).shows(Self.rules, in: listing))
        #expect(!FilterListing(of: Self.rules, "").shows(Self.rules, in: ""))
    }
}
