import NetTypes
import Testing

@testable import NodeLink

@Suite("Questions about BGP")
struct BGPQuestionTests {
    static let questions: [BGPQuestion] = [
        .peers, .routes, .received(.v4(IPv4Address(rawValue: 0xC0A8_0102))),
        .advertised(.v6(IPv6Address(high: 0xFD00_0001_0000_0000, low: 2))),
        .why(IPPrefix(masking: .v4(IPv4Address(rawValue: 0x0AF4_0100)), length: 26)),
    ]

    @Test("a question goes over the socket as it is", arguments: questions)
    func question(_ question: BGPQuestion) throws {
        let request = Request(id: 7, operation: .bgp(question))
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
        ] as [JSONValue])
    func nonsense(_ request: JSONValue) {
        #expect(throws: NodeLinkError.self) { try Request(json: request) }
    }

    @Test("rows go over the socket as they are, and an answer says how many it leaves out")
    func rows() throws {
        var peer = BGPPeerRow(address: "192.168.1.2", asNumber: ASNumber(65001), state: "Established")
        peer.lastError = "received Cease"
        peer.messagesIn = 12
        #expect(try BGPAnswer<BGPPeerRow>(BGPAnswer([peer]).members) == BGPAnswer([peer]))
        var route = BGPRouteRow(
            prefix: IPPrefix(masking: .v4(IPv4Address(rawValue: 0x0AF4_0100)), length: 26), flags: ">",
            nextHop: "192.168.1.2", peer: "192.168.1.2")
        route.localPref = 100
        let many = BGPAnswer(Array(repeating: route, count: BGPAnswer<BGPRouteRow>.maximumRows + 3))
        #expect(many.items.count == BGPAnswer<BGPRouteRow>.maximumRows && many.more == 3)
        #expect(try BGPAnswer<BGPRouteRow>(many.members) == many)
        let explanation = ExplanationAnswer(lines: ["In the table: no."])
        #expect(try ExplanationAnswer(explanation.members) == explanation)
    }
}
