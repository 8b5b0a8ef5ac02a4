import CNIPlugin
import LinuxOS
import NetTypes
import TestKit
import Testing

@Suite("A pod in two networks of Apus'", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct SecondNetworkTests {
    private static let name: (String, JSONValue) = ("name", "other")
    private static let routes: (String, JSONValue) = (
        "ipam", ["type": "apus-ipam", "routes": [["dst": "198.51.100.0/24"], ["dst": "2001:db8::/32"]]]
    )

    @Test(
        "Each link has its routes, and CHECK passes for both; either goes without the other", arguments: [true, false])
    func both(isDefaultFirst: Bool) async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState(isDualStack: true)
            let first = fixture.plugin
            var second = fixture.plugin
            second.ifName = "net1"
            func addFirst() throws -> JSONValue {
                let outcome = first.call("ADD")
                #expect(outcome.status == 0, "\(outcome)")
                return try #require(outcome.answer)
            }
            func addSecond() throws -> JSONValue {
                let outcome = second.call("ADD", config: Self.name, Self.routes)
                #expect(outcome.status == 0, "\(outcome)")
                return try #require(outcome.answer)
            }
            var (one, two) = (JSONValue.null, JSONValue.null)
            if isDefaultFirst { one = try addFirst() }
            two = try addSecond()
            if !isDefaultFirst { one = try addFirst() }

            func check() {
                let outcomes = [
                    first.call("CHECK", config: ("prevResult", one)),
                    second.call("CHECK", config: Self.name, Self.routes, ("prevResult", two)),
                ]
                #expect(outcomes.allSatisfy { $0.status == 0 }, "\(outcomes)")
            }
            check()
            for (family, other) in [("-4", "198.51.100.1"), ("-6", "2001:db8::1")] {
                #expect(try fixture.inPod("ip \(family) route get \(other)").contains(" dev net1 "))
                let away = family == "-4" ? "203.0.113.1" : "2001:db9::1"
                #expect(try fixture.inPod("ip \(family) route get \(away)").contains(" dev eth0 "))
            }
            #expect(first.call("DEL").status == 0)
            #expect(second.call("CHECK", config: Self.name, Self.routes, ("prevResult", two)).status == 0)
            one = try addFirst()
            check()
            #expect(second.call("DEL", config: Self.name, Self.routes).status == 0)
            #expect(first.call("CHECK", config: ("prevResult", one)).status == 0)
            #expect(first.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("Two networks of one destination are error 7 naming link and remedy, and the first is as it was")
    func sameDestination() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState(isDualStack: true)
            let result = try #require(fixture.plugin.call("ADD").answer)
            let before = try fixture.inPod("ip route") + fixture.inPod("ip -6 route")
            var second = fixture.plugin
            second.ifName = "net1"
            let refused = second.call("ADD", config: Self.name)
            #expect(refused.code == 7)
            #expect(refused.message.contains("ipam.routes: the container has a route to 0.0.0.0/0 by eth0 already"))
            #expect(try fixture.inPod("ip route") + fixture.inPod("ip -6 route") == before)
            #expect(try fixture.hostLinks().count == 1)
            #expect(second.call("DEL", config: Self.name).status == 0)
            let outcome = fixture.plugin.call("CHECK", config: ("prevResult", result))
            #expect(outcome.status == 0, "\(outcome)")
        }
    }

    @Test("The gateway itself is no destination: error 7")
    func gateway() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let routes: JSONValue = ["type": "apus-ipam", "routes": [["dst": "169.254.1.1/32"]]]
            let refused = fixture.plugin.call("ADD", config: ("ipam", routes))
            #expect(refused.code == 7, "\(refused)")
            #expect(try fixture.plugin.isEmpty())
        }
    }
}
