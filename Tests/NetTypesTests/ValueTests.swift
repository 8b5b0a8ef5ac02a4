import NetTypes
import Testing

@Suite("Values")
struct ValueTests {
    @Test("a JSON object keeps the order of its members, and the last of two with one name")
    func jsonOrder() {
        let object = JSONObject([("b", 1), ("a", 2), ("b", 3)])
        #expect(object.members.map(\.name) == ["b", "a"])
        #expect(object["b"] == 3)
        var changed = object
        changed["b"] = nil
        #expect(changed == JSONObject([("a", 2)]))
    }

    @Test("a lenient look-up ignores ASCII case, prefers the exact name, and reads null as absent")
    func lenient() {
        let object: JSONObject = ["PortMappings": 1, "portMappings": 2, "DNS": 3, "mtu": .null]
        #expect(object.lenient("portMappings") == 2)
        #expect(object.lenient("dns") == 3)
        #expect(object.lenient("mtu") == nil)
        #expect(object.lenient("absent") == nil)
    }

    @Test("time adds and subtracts durations, and saturates at the ends of the clock")
    func time() {
        let start = MonotonicTime(nanoseconds: 1_000)
        #expect(start + .nanoseconds(500) == MonotonicTime(nanoseconds: 1_500))
        #expect(start + .nanoseconds(-400) == MonotonicTime(nanoseconds: 600))
        #expect(start + .seconds(-1) == MonotonicTime(nanoseconds: 0))
        #expect(start + .seconds(Int64.max) == MonotonicTime(nanoseconds: .max))
        #expect((start + .seconds(3)) - start == .seconds(3))
        #expect(start - (start + .milliseconds(7)) == .milliseconds(-7))
    }

    @Test("a route prints in the words of ip route")
    func route() throws {
        let block = try #require(IPPrefix("10.244.1.0/26"))
        let hop = Route.Hop(linkIndex: 2, gateway: IPAddress("192.168.1.2"), isOnLink: true)
        #expect(
            Route(to: block, hops: [hop], protocolNumber: 97).description
                == "10.244.1.0/26 via 192.168.1.2 dev if2 onlink proto 97")
        #expect(
            Route(to: block, kind: .blackhole, metric: 5, protocolNumber: 97).description
                == "blackhole 10.244.1.0/26 proto 97 metric 5")
    }
}
