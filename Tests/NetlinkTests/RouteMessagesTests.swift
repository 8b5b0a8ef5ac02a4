import NetTypes
import Testing

@testable import Netlink

@Suite("Messages of many routes")
struct RouteMessagesTests {
    private static let requests: [(RouteChange.Verb, UInt32, [String], Route)] = [
        (.add, 1, ["10.1.0.0/26", "10.1.0.64/26", "0.0.0.0/0", "10.255.255.255/32"], form(via: "192.168.1.2")),
        (.delete, 1, ["10.1.0.128/25", "10.2.0.0/26"], form(via: "192.168.1.2")),
        (.add, 2, ["10.3.0.0/24", "10.4.0.0/26"], form(via: "192.168.1.2", metric: 20)),
        (.replace, 3, ["fd00:1::/64", "fd00:1:0:1::/122", "10.5.0.0/26"], form(via: "fe80::2")),
        (.add, 4, ["10.6.0.0/26", "fd00:2::/64"], blackhole),
        (.add, 1, ["10.7.0.0/26"], form(via: "192.168.1.2")),
        (.add, 5, ["10.8.0.0/26", "10.9.0.0/16"], multipath),
        (.replace, 6, ["fd00:3::/64", "::/0"], multipath6),
    ]

    private static var multipath: Route {
        var route = form(via: "192.168.1.2")
        route.hops.append(.init(linkIndex: 3, gateway: IPAddress("192.168.2.2"), isOnLink: true))
        return route
    }

    private static var multipath6: Route {
        var route = form(via: "fe80::2")
        route.hops.append(.init(linkIndex: 3, gateway: IPAddress("fe80::3")))
        return route
    }

    private static func form(via gateway: String, metric: UInt32 = 0) -> Route {
        Route(
            to: prefix("0.0.0.0/0"), hops: [.init(linkIndex: 2, gateway: IPAddress(gateway))], metric: metric,
            protocolNumber: 97)
    }

    private static var blackhole: Route { Route(to: prefix("0.0.0.0/0"), kind: .blackhole, protocolNumber: 97) }

    private static func prefix(_ text: String) -> IPPrefix {
        guard let prefix = IPPrefix(text) else { preconditionFailure("\(text) is no prefix") }
        return prefix
    }

    @Test("are, each, what the request alone would be", arguments: [false, true])
    func copies(isBackwards: Bool) throws {
        var changes: [RouteChange] = []
        var requests: [NetlinkRequest] = []
        for (verb, form, destinations, pattern) in Self.requests {
            for destination in destinations.map(Self.prefix) {
                var route = pattern
                route.destination = destination
                changes.append(RouteChange(verb, destination, metric: route.metric, form: form))
                switch verb {
                case .add: requests.append(.addRoute(route))
                case .replace: requests.append(.replaceRoute(route))
                case .delete: requests.append(.deleteRoute(route))
                }
            }
        }
        let order = isBackwards ? Array(changes.indices.reversed()) : Array(changes.indices)
        var message = try NetlinkMessage()
        var expected: [UInt8] = []
        for place in order {
            requests[place].write(to: &message)
            message.append(to: &expected, sequence: 0, flags: 0)
        }
        let messages = RouteMessages(changes, in: order) { requests[$0] }
        #expect(messages.datagrams.map(\.firstIndex) == [0])
        #expect(messages.datagrams.flatMap(\.octets) == expected)
        #expect(messages.overfull.isEmpty)
    }

    @Test("fill datagrams that the answers' buffer has room for; what fits into none is told of, and no other with it")
    func datagrams() {
        let few = Self.form(via: "192.168.1.2")
        var many = few
        many.hops = (0..<600).map { .init(linkIndex: UInt32($0 + 1), gateway: IPAddress("192.168.1.2")) }
        let changes = (0..<3000).map { place in
            RouteChange(.add, Self.prefix("10.\(place >> 8).\(place & 255).0/24"), metric: 0, form: place == 7 ? 2 : 1)
        }
        let messages = RouteMessages(changes, in: Array(changes.indices)) { .addRoute($0 == 7 ? many : few) }
        #expect(messages.overfull == [7])
        #expect(messages.datagrams.map(\.firstIndex).prefix(2) == [0, 8])
        #expect(messages.datagrams.allSatisfy { $0.octets.count <= RouteMessages.datagramBytes })
        let lengths = messages.datagrams.map { $0.octets.count / 52 }
        #expect(messages.datagrams.allSatisfy { $0.octets.count % 52 == 0 })
        #expect(lengths.reduce(0, +) == 2999)
        for (place, datagram) in messages.datagrams.enumerated().dropFirst(2) {
            #expect(datagram.firstIndex == messages.datagrams[place - 1].firstIndex + lengths[place - 1])
        }
    }
}
