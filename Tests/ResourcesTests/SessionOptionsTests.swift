import NetTypes
import Resources
import Testing

@Suite("What a BGPPeer says of its session and its prefixes")
struct SessionOptionsTests {
    /// The peer of node1, a route reflector, that a BGPPeer with these fields makes.
    private func peer(_ fields: Shape) throws -> NodeView.Peer {
        let decoded = ResourceDecoder.decode([
            resource(
                "Node", "node1", ["bgp": ["ipv4Address": "192.168.1.1/24", "routeReflectorClusterID": "244.0.0.1"]]),
            resource("BGPPeer", "router", fields),
        ])
        #expect(decoded.diagnostics.isEmpty)
        return try #require(decoded.configuration.view(of: "node1")?.peers.first)
    }

    @Test("the times have the defaults of the RFCs, and can be set or turned off")
    func times() throws {
        let plain = try peer(["peerIP": "192.168.1.9", "asNumber": 65000]).session
        #expect(plain.sendHoldTime == nil && plain.delayOpenTime == .zero && plain.idleHoldTime == .seconds(60))
        let set = try peer([
            "peerIP": "192.168.1.9", "asNumber": 65000, "sendHoldTime": "10m", "delayOpenTime": "2s",
            "idleHoldTime": "5m",
        ]).session
        #expect(set.sendHoldTime == .seconds(600) && set.delayOpenTime == .seconds(2))
        #expect(set.idleHoldTime == .seconds(300))
        let off = try peer([
            "peerIP": "192.168.1.9", "asNumber": 65000, "sendHoldTime": "0s", "idleHoldTime": "0s",
        ]).session
        #expect(off.sendHoldTime == .zero && off.idleHoldTime == .zero)
        #expect(plain.identity != set.identity)
    }

    @Test("with localASNumber the peer is internal if it has that number, and no client if it has the node's")
    func localASNumber() throws {
        let plain = try peer(["peerIP": "192.168.1.9", "asNumber": 64512])
        #expect(plain.isRouteReflectorClient && plain.session.localASNumber == nil)
        let other = try peer(["peerIP": "192.168.1.9", "asNumber": 64512, "localASNumber": 65001])
        #expect(!other.isRouteReflectorClient && other.session.localASNumber == ASNumber(65001))
        let internalOne = try peer(["peerIP": "192.168.1.9", "asNumber": 65001, "localASNumber": 65001])
        #expect(internalOne.isRouteReflectorClient)
        #expect(plain.identity != other.identity)
    }

    @Test(
        "the log warns at three quarters of the maximum, or at as many per cent as is said, rounded up",
        arguments: [(1000, nil, 750), (10, nil, 8), (1, nil, 1), (1000, 100, 1000), (1000, 1, 10)]
            as [(Int, Int?, Int)])
    func warning(maximum: Int, percentage: Int?, expected: Int) {
        var policy = PeerPolicy()
        #expect(policy.prefixesWarnedOf == nil)
        policy.maximumPrefixes = maximum
        if let percentage { policy.maximumPrefixesWarning = percentage }
        #expect(policy.prefixesWarnedOf == expected)
    }

    @Test("the limit changes no session, and every field of it is seen to change")
    func limit() throws {
        let base: Shape = ["peerIP": "192.168.1.9", "asNumber": 65000]
        let changed = try peer([
            "peerIP": "192.168.1.9", "asNumber": 65000, "maximumPrefixes": 10, "maximumPrefixesAction": "Warn",
            "maximumPrefixesRestartTime": "5s", "maximumPrefixesWarning": 50,
        ])
        #expect(try peer(base).identity == changed.identity)
        var policy = changed.policy
        #expect(policy.hasSamePrefixLimit(as: changed.policy))
        policy.maximumPrefixesAction = .restart
        #expect(!policy.hasSamePrefixLimit(as: changed.policy))
        policy = changed.policy
        policy.maximumPrefixesRestartTime = .zero
        #expect(!policy.hasSamePrefixLimit(as: changed.policy))
        policy = changed.policy
        policy.filters = ["another"]
        #expect(policy.hasSamePrefixLimit(as: changed.policy))
    }
}
