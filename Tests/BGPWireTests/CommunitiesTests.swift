import BGPWire
import NetTypes
import Testing

@Suite("The text of communities, families and identifiers")
struct CommunitiesTests {
    @Test("A community is two decimal halves", arguments: ["64512:100", "0:0", "65535:65281"])
    func community(_ text: String) throws {
        #expect(try #require(Community(text)).description == text)
    }

    @Test(
        "What is no community",
        arguments: ["", ":", "1", "1:", "65536:1", "1:65536", "1:2:3", "+1:2", "1: 2", "a:1"])
    func noCommunity(_ text: String) {
        #expect(Community(text) == nil)
    }

    @Test("A large community is three decimal numbers", arguments: ["4294967295:0:1", "64512:1:2"])
    func large(_ text: String) throws {
        #expect(try #require(LargeCommunity(text)).description == text)
    }

    @Test("What is no large community", arguments: ["1:2", "1:2:3:4", "4294967296:0:1", "1:-2:3", "1::3"])
    func noLarge(_ text: String) {
        #expect(LargeCommunity(text) == nil)
    }

    @Test("The well-known ones have the values of their RFCs")
    func wellKnown() {
        #expect(Community.noExport == Community(65535, 65281))
        #expect(Community.noAdvertise == Community(65535, 65282))
        #expect(Community.noExportSubconfed == Community(65535, 65283))
        #expect(Community.gracefulShutdown == Community(65535, 0))
        #expect(Community.blackhole == Community(65535, 666))
        #expect(Community.llgrStale == Community(65535, 6))
        #expect(Community.noLLGR == Community(65535, 7))
    }

    @Test("The T bit of an extended community")
    func transitive() {
        #expect(ExtendedCommunity(rawValue: 0x0002_fc00_0000_0005).isTransitive)
        #expect(!ExtendedCommunity(rawValue: 0x4004_fc00_0000_0005).isTransitive)
        #expect(ExtendedCommunity(rawValue: 5).description == "0x0000000000000005")
    }

    @Test("Families name themselves and the prefixes they carry")
    func families() {
        #expect(AFISAFI(.ipv6) == .ipv6Unicast)
        #expect(AFISAFI.ipv4Unicast.family == .ipv4)
        #expect(AFISAFI(afi: 25, safi: 70).family == nil)
        #expect(AFISAFI.ipv4Unicast.description == "ipv4-unicast")
        #expect(AFISAFI(afi: 25, safi: 70).description == "25/70")
        #expect(ClusterID(rawValue: 0x0a00_0009).description == "10.0.0.9")
    }
}
