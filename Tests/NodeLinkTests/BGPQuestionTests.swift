import NetTypes
import Testing

@testable import NodeLink

@Suite("Questions about BGP")
struct BGPQuestionTests {
    static let block = IPPrefix(masking: .v4(IPv4Address(rawValue: 0x0AF4_0100)), length: 26)
    static let views: [BGPView] = [
        .peers, .states, .routes(within: nil), .routes(within: block),
        .received(.v4(IPv4Address(rawValue: 0xC0A8_0102)), within: nil),
        .received(.v4(IPv4Address(rawValue: 0xC0A8_0102)), within: block),
        .advertised(.v6(IPv6Address(high: 0xFD00_0001_0000_0000, low: 2)), within: nil),
        .advertised(.v6(IPv6Address(high: 0xFD00_0001_0000_0000, low: 2)), within: block),
    ]
    static let questions: [BGPQuestion] = views.map { .table($0) } + [.why(block)]

    @Test("a question goes over the socket as it is", arguments: questions)
    func question(_ question: BGPQuestion) throws {
        let request = Request(id: 7, operation: .bgp(question))
        #expect(try Request(json: request.json) == request)
    }

    @Test("a table is asked for in pages as it is in one answer", arguments: views)
    func page(_ view: BGPView) throws {
        let request = Request(id: 7, operation: .page(.bgp(view), from: 2000))
        #expect(request.json.object?["op"] == "bgpPage")
        #expect(try Request(json: request.json) == request)
    }

    @Test("a wish for routes again goes over the socket as it is", arguments: PeerRefresh.Direction.allCases)
    func refresh(_ direction: PeerRefresh.Direction) throws {
        let refresh = PeerRefresh(peer: .v4(IPv4Address(rawValue: 0xC0A8_0102)), direction: direction)
        let request = Request(id: 7, operation: .refresh(refresh))
        #expect(try Request(json: request.json) == request)
    }

    @Test(
        "a question that makes no sense is refused",
        arguments: [
            ["id": 1, "op": "bgp", "view": "weather"], ["id": 1, "op": "bgp", "view": "received"],
            ["id": 1, "op": "bgp", "view": "received", "peer": "host"],
            ["id": 1, "op": "refresh", "peer": "192.168.1.2", "direction": "up"],
            ["id": 1, "op": "refresh", "direction": "in"],
            ["id": 1, "op": "bgp", "view": "why", "prefix": "10.0.0.0/40"],
            ["id": 1, "op": "bgpPage", "view": "why", "prefix": "10.0.0.0/8", "from": 0],
            ["id": 1, "op": "bgpPage", "view": "routes", "within": "10.0.0.1/8", "from": 0],
            ["id": 1, "op": "bgpPage", "view": "advertised", "from": 0],
            ["id": 1, "op": "bgpPage", "view": "routes"],
        ] as [JSONValue])
    func nonsense(_ request: JSONValue) {
        #expect(throws: NodeLinkError.self) { try Request(json: request) }
    }

    @Test("rows go over the socket as they are, and an answer says how many it leaves out")
    func rows() throws {
        var peer = BGPPeerRow(address: "192.168.1.2", asNumber: ASNumber(65001), state: "Established")
        peer.lastError = "received Cease"
        peer.messagesIn = 12
        let peers = try BGPAnswer<BGPPeerRow>(BGPAnswer<BGPPeerRow>.members(count: 1) { _ in peer.json })
        #expect(peers.items == [peer] && peers.more == 0)
        var route = BGPRouteRow(
            prefix: Self.block, flags: ">", nextHop: "192.168.1.2", peer: "192.168.1.2")
        route.localPref = 100
        let limit = BGPAnswer<BGPRouteRow>.maximumRows
        let many = try BGPAnswer<BGPRouteRow>(BGPAnswer<BGPRouteRow>.members(count: limit + 3) { _ in route.json })
        #expect(many.items == Array(repeating: route, count: limit) && many.more == 3)
        let explanation = ExplanationAnswer(lines: ["In the table: no."])
        #expect(try ExplanationAnswer(explanation.members) == explanation)
    }
}
