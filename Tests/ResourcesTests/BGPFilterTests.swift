import NetTypes
import Resources
import Testing

@Suite("Reading filters, and what uses them")
struct BGPFilterTests {
    @Test("a filter with everything that a rule can say")
    func whole() throws {
        let decoded = ResourceDecoder.decode([
            resource(
                "BGPFilter", "f",
                [
                    "importV4": [
                        [
                            "cidr": "10.0.0.0/8", "matchOperator": "In", "prefixLength": ["min": 16, "max": 24],
                            "source": "RemotePeers", "interface": "*.calico", "peerType": "eBGP",
                            "communities": ["values": ["64512:7"]], "asPathPrefix": [64513, "1.10"], "priority": 1024,
                            "action": "Accept",
                            "operations": [
                                ["addCommunity": ["value": "64512:1:2"]], ["prependASPath": ["prefix": [1, 2]]],
                                ["setPriority": ["value": 512]],
                            ],
                        ]
                    ],
                    "exportV6": [["cidr": "fd00::/8", "matchOperator": "NotEqual", "action": "Reject"]],
                ])
        ])
        #expect(decoded.diagnostics == [])
        let filter = try #require(decoded.configuration.filters.first)
        let rule = try #require(filter.importV4.first)
        #expect(rule.network?.cidr == IPPrefix("10.0.0.0/8"))
        #expect(rule.network?.matchOperator == .inside)
        #expect(rule.network?.lengths == 16...24)
        #expect(rule.isRemoteOnly && rule.interface == "*.calico" && rule.peerType == .external)
        #expect(rule.community == .standard(64512, 7))
        #expect(rule.asPathPrefix == [ASNumber(64513), ASNumber(65546)])
        #expect(rule.priority == 1024 && rule.action == .accept)
        #expect(
            rule.operations == [
                .addCommunity(.large(64512, 1, 2)), .prependASPath([ASNumber(1), ASNumber(2)]), .setPriority(512),
            ])
        #expect(filter.exportV6.first?.network?.lengths == 8...128)
        #expect(filter.importV6.isEmpty && filter.exportV4.isEmpty)
    }

    @Test(
        "a rule that contradicts itself is refused",
        arguments: [
            Refusal(
                "BGPFilter", "matchOperator: cidr and matchOperator must both be there, or neither",
                ["cidr": "10.0.0.0/8"]),
            Refusal(
                "BGPFilter", "matchOperator: cidr and matchOperator must both be there, or neither",
                ["matchOperator": "In"]),
            Refusal("BGPFilter", "prefixLength: means nothing without cidr", ["prefixLength": ["min": 8]]),
            Refusal(
                "BGPFilter", "prefixLength: no length is at least 24 and at most 16",
                ["cidr": "10.0.0.0/8", "matchOperator": "In", "prefixLength": ["min": 24, "max": 16]]
            ),
            Refusal(
                "BGPFilter", "cidr: fd00::/8 is not of the family of the list, IPv4",
                ["cidr": "fd00::/8", "matchOperator": "In"]
            ),
            Refusal(
                "BGPFilter", "matchOperator: expected one of Equal, NotEqual, In, NotIn, found \"Is\"",
                ["cidr": "10.0.0.0/8", "matchOperator": "Is"]
            ),
            Refusal("BGPFilter", "source: expected one of RemotePeers, found \"Self\"", ["source": "Self"]),
            Refusal("BGPFilter", "peerType: expected one of eBGP, iBGP, found \"ebgp\"", ["peerType": "ebgp"]),
            Refusal(
                "BGPFilter", "communities: values must hold exactly one community, and holds 2",
                ["communities": ["values": ["1:2", "1:3"]]]
            ),
            Refusal(
                "BGPFilter", "communities.values: expected a community such as 64512:7 or 64512:1:2, found \"65536:1\"",
                ["communities": ["values": ["65536:1"]]]
            ),
            Refusal(
                "BGPFilter", "priority: expected a whole number from 1 to 2147483646, found \"0\"", ["priority": 0]),
            Refusal(
                "BGPFilter",
                "operations[0].addCommunity: an operation is exactly one of addCommunity, prependASPath and setPriority",
                ["operations": [["addCommunity": ["value": "1:2"], "setPriority": ["value": 1]]]]
            ),
        ])
    func contradiction(_ refusal: Refusal) throws {
        guard case .map(let members) = refusal.spec() else { return }
        let rule = Shape.map(members + [("action", "Accept")])
        let found = findings(resource("BGPFilter", "f", ["importV4": .list([rule])]))
        #expect(found.count == 1)
        #expect(found.first?.contains("error: ") == true)
        #expect(found.first?.hasSuffix("BGPFilter/f: spec.importV4[0].\(refusal.line)") == true, "\(found)")
    }

    @Test("a rule that rejects changes nothing, and every rule says what it does")
    func actions() {
        let rejecting: Shape = ["action": "Reject", "operations": [["setPriority": ["value": 1]]]]
        #expect(findings(resource("BGPFilter", "f", ["exportV4": .list([rejecting])])).count == 1)
        #expect(findings(resource("BGPFilter", "f", ["exportV4": [["peerType": "iBGP"]]])).count == 1)
    }

    @Test("a peer has its filters in its order")
    func filters() throws {
        let view = try viewWith(
            ["peerIP": "10.0.0.1", "asNumber": 1, "filters": ["second", "first"], "maximumPrefixes": 100])
        let peer = try #require(view.peers.first)
        #expect(peer.filters.map(\.name) == ["second", "first"])
        #expect(peer.policy.maximumPrefixes == 100)
        #expect(view.warnings.isEmpty)
    }

    @Test("a peer that names a filter which is not there, or is refused, is refused, and no other is")
    func missingFilter() throws {
        func peer(_ name: String, _ filters: Shape) -> Document {
            resource("BGPPeer", name, ["peerIP": "10.0.0.1", "asNumber": 1, "filters": filters], file: "peers.yaml")
        }
        let broken = resource("BGPFilter", "broken", ["importV4": [["action": "Perhaps"]]])
        let decoded = ResourceDecoder.decode(
            clusterOfOne + [
                broken, peer("p", ["frist", "second"]), peer("q", ["second", "broken"]), peer("r", ["second"]),
            ])
        let view = try #require(decoded.configuration.view(of: "node1"))
        #expect(view.peers.map(\.resourceName) == ["r"])
        #expect(decoded.files["BGPPeer/p"] == nil)
        let end = ", which its filters name, and without it there is no session; write the filter, or take its name out"
        #expect(
            decoded.diagnostics.filter { $0.severity == .error && $0.file == "peers.yaml" }.map(\.description) == [
                "peers.yaml:0: BGPPeer/p: there is no BGPFilter/frist\(end)",
                "peers.yaml:0: BGPPeer/q: there is no BGPFilter/broken\(end)",
            ])
    }

    @Test("a filter that is broken while its session is up leaves both as they were; removed with it, neither is left")
    func brokenLive() {
        let peer = resource("BGPPeer", "p", ["peerIP": "10.0.0.1", "asNumber": 1, "filters": ["f"]], file: "p.yaml")
        func filter(_ action: Shape) -> Document {
            resource("BGPFilter", "f", ["importV4": [["action": action]]], file: "f.yaml")
        }
        // Something else has been wrong from the start on.
        let wrong = resource("IPPool", "wrong", ["cidr": "10.0.0.0/33"], file: "pool.yaml")
        var inForce = ConfigurationInForce()
        _ = inForce.offer(ResourceDecoder.decode(clusterOfOne + [wrong, filter("Reject"), peer]))
        let before = inForce.configuration
        #expect(before?.peers.count == 1)
        #expect(inForce.offer(ResourceDecoder.decode(clusterOfOne + [wrong, filter("Rejct"), peer])) == .unchanged)
        #expect(inForce.configuration == before)
        // The peer is refused for another reason: with the filter gone there is nothing to keep it with.
        let typo = resource("BGPPeer", "p", ["peerIP": "10.0.0.1", "asNumber": "x"], file: "p.yaml")
        _ = inForce.offer(ResourceDecoder.decode(clusterOfOne + [wrong, typo]))
        #expect(inForce.configuration?.peers.isEmpty == true)
    }

    @Test("policy is no part of who a peer is: a change of it needs no new session")
    func identity() throws {
        let plain = try viewWith(["peerIP": "10.0.0.1", "asNumber": 1]).peers
        let filtered = try viewWith(
            [
                "peerIP": "10.0.0.1", "asNumber": 1, "filters": ["first"], "numAllowedLocalASNumbers": 2,
                "tunnelEncapsulation": true,
            ]
        ).peers
        #expect(plain != filtered)
        #expect(plain.map(\.identity) == filtered.map(\.identity))
    }

    @Test("another number of paths to be sent needs a new session: the old paths have identifiers of their own")
    func advertisedPaths() throws {
        let all = try viewWith(["peerIP": "10.0.0.1", "asNumber": 1]).peers
        let one = try viewWith(["peerIP": "10.0.0.1", "asNumber": 1, "advertisedPaths": 1]).peers
        #expect(all.map(\.identity) != one.map(\.identity))
    }

    @Test("communities are given by name or as they are, to what lies inside a network")
    func advertisements() {
        let decoded = ResourceDecoder.decode([
            resource(
                "BGPConfiguration", "default",
                [
                    "communities": [["name": "internal", "value": "64512:100"]],
                    "prefixAdvertisements": [["cidr": "10.244.0.0/16", "communities": ["internal", "1:2:3"]]],
                ])
        ])
        #expect(decoded.diagnostics == [])
        let advertisements = decoded.configuration.prefixAdvertisements(of: "node1")
        #expect(advertisements.map(\.communities) == [[.standard(64512, 100), .large(1, 2, 3)]])
        let unknown = findings(
            resource(
                "BGPConfiguration", "default",
                ["prefixAdvertisements": [["cidr": "10.244.0.0/16", "communities": ["nobody"]]]]))
        #expect(unknown.count == 1)
        #expect(unknown.first?.contains("\"nobody\" is neither a community nor the name of one") == true)
    }
}

/// A node and two filters.
private let clusterOfOne: [Document] = [
    resource("Node", "node1", ["bgp": ["ipv4Address": "192.168.1.1/24"]]),
    resource("BGPFilter", "first", ["importV4": [["action": "Accept"]]]),
    resource("BGPFilter", "second", ["importV4": [["action": "Reject"]]]),
]

/// What a cluster of one node, two filters and a BGPPeer means for the node.
private func viewWith(_ peer: Shape) throws -> NodeView {
    let decoded = ResourceDecoder.decode(clusterOfOne + [resource("BGPPeer", "p", peer)])
    #expect(decoded.isWhole)
    return try #require(decoded.configuration.view(of: "node1"))
}
