import BGPWire
import NetTypes
import Testing

/// A frame of another implementation and what it says.
struct Capture: Sendable, CustomTestStringConvertible {
    /// How the frame that Apus makes of the message relates to it.
    enum Way: Sendable {
        /// The same bytes.
        case identical
        /// Other bytes of the same meaning: order of attributes, width of lengths, grouping of capabilities.
        case equivalent
    }

    let speaker: String
    let name: String
    var context = ibgp
    var way = Way.identical
    let message: @Sendable () throws -> BGPMessage

    var testDescription: String { "\(speaker) \(name)" }
}

@Suite("Frames of other implementations")
struct CaptureTests {
    @Test("say the same to us, and we say it back", arguments: birdCaptures + gobgpCaptures + exabgpCaptures)
    func capture(_ capture: Capture) throws {
        let frame = try Captures.frame(capture.name, of: capture.speaker)
        let expected = try capture.message()
        #expect(try BGPMessage.decode(frame, context: capture.context) == expected)
        let encoded = expected.encode(capture.context)
        switch capture.way {
        case .identical: #expect(encoded == frame)
        case .equivalent: #expect(try BGPMessage.decode(encoded, context: capture.context) == expected)
        }
    }

    @Test("are all in the table", arguments: ["bird", "gobgp", "exabgp"])
    func complete(_ speaker: String) throws {
        let tested = Set((birdCaptures + gobgpCaptures + exabgpCaptures).filter { $0.speaker == speaker }.map(\.name))
        #expect(tested == Set(try Captures.read(speaker).keys))
    }
}

private let bothFamilies: [Capability] = [.multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast)]

private func open(_ asNumber: UInt32, _ holdTime: UInt16, _ capabilities: [Capability]) throws -> BGPMessage {
    .open(
        OpenMessage(
            asNumber: ASNumber(asNumber), holdTime: holdTime, bgpID: try #require(RouterID("10.0.0.1")),
            capabilities: capabilities))
}

private func announce(
    _ prefixes: [String], via nextHop: String, _ attributes: PathAttributes
) throws -> BGPMessage {
    .update(UpdateMessage(reachable: [try .of(prefixes, via: nextHop)], attributes: attributes))
}

private func withdraw(_ prefixes: String...) throws -> BGPMessage {
    .update(UpdateMessage(unreachable: [try .of(prefixes)]))
}

private func shutdown(_ text: String) -> BGPMessage {
    .notification(.cease(CeaseSubcode.administrativeShutdown, because: text))
}

private func birdOpen(_ asNumber: UInt32, extended: Bool) throws -> BGPMessage {
    let restart = GracefulRestart(
        isRestarting: false, notification: false, restartTime: 120,
        families: [
            .init(.ipv4Unicast, forwardingPreserved: false), .init(.ipv6Unicast, forwardingPreserved: false),
        ])
    return try open(
        asNumber, 240,
        bothFamilies + [.routeRefresh] + (extended ? [.extendedMessage] : []) + [
            .gracefulRestart(restart), .fourOctetAS(ASNumber(asNumber)), .enhancedRouteRefresh,
            .longLivedGracefulRestart([]),
        ])
}

/// What bird says of the route that the reflector's other client has sent it.
private func reflected(_ path: [UInt32]) throws -> PathAttributes {
    PathAttributes(
        asPath: ASPath([
            .sequence((path + [65020]).map(ASNumber.init)), .set([ASNumber(65021), ASNumber(4_200_000_009)]),
        ]),
        isAtomicAggregate: true,
        aggregator: Aggregator(asNumber: ASNumber(4_200_000_009), address: IPv4Address(10, 9, 9, 9)),
        unknown: [
            RawAttribute(
                flags: [.optional, .transitive, .partial], type: 23, value: hex("00080009 0607 00000000 000000"))
        ])
}

private func withCommunities(_ path: ASPath, med: UInt32?, localPref: UInt32?) -> PathAttributes {
    PathAttributes(
        origin: .egp, asPath: path, med: med, localPref: localPref,
        communities: [Community(64512, 100), .noExport],
        extendedCommunities: [ExtendedCommunity(rawValue: 0x0002_fc00_0000_0005)],
        largeCommunities: [LargeCommunity(64512, 1, 2)])
}

private let ipv6Blocks = ["fd00:10:244::/122", "fd00:10:244::40/122"]
private let birdAS: UInt32 = 4_200_000_001

private let birdCaptures: [Capture] = [
    Capture(speaker: "bird", name: "ibgp-open") { try birdOpen(64512, extended: true) },
    Capture(speaker: "bird", name: "ibgp-keepalive") { .keepalive },
    Capture(speaker: "bird", name: "ibgp-set-path") {
        try announce(
            ["0.0.0.0/0"], via: "192.168.77.1",
            PathAttributes(asPath: ASPath(65010, 4_200_000_005), localPref: 100))
    },
    Capture(speaker: "bird", name: "ibgp-host-route") {
        try announce(["10.244.0.0/26", "10.1.2.3/32"], via: "192.168.77.1", PathAttributes(localPref: 100))
    },
    Capture(speaker: "bird", name: "ibgp-communities") {
        try announce(
            ["10.244.0.64/26"], via: "192.168.77.1", withCommunities(ASPath(), med: 50, localPref: 200))
    },
    Capture(speaker: "bird", name: "end-of-rib-ipv4") { .update(.endOfRIB(.ipv4Unicast)) },
    Capture(speaker: "bird", name: "ibgp-ipv6", way: .equivalent) {
        try announce(ipv6Blocks, via: "fd00:77::1", PathAttributes(localPref: 100))
    },
    Capture(speaker: "bird", name: "end-of-rib-ipv6") { .update(.endOfRIB(.ipv6Unicast)) },
    Capture(speaker: "bird", name: "ibgp-reflected") {
        var attributes = try reflected([])
        attributes.localPref = 100
        attributes.originatorID = RouterID("10.0.0.3")
        attributes.clusterList = [ClusterID(rawValue: 0x0a00_0009)]
        return try announce(["10.244.7.0/26"], via: "192.168.77.1", attributes)
    },
    Capture(speaker: "bird", name: "withdraw-ipv6", way: .equivalent) {
        try withdraw("fd00:10:244::/122", "fd00:10:244::40/122")
    },
    Capture(speaker: "bird", name: "withdraw-ipv4") { try withdraw("10.244.7.0/26") },
    Capture(speaker: "bird", name: "shutdown-communication") { shutdown("moving racks") },
    Capture(speaker: "bird", name: "ebgp2-open", context: twoOctet) { try birdOpen(birdAS, extended: false) },
    Capture(speaker: "bird", name: "ebgp2-as4-path", context: twoOctet) {
        try announce(
            ["0.0.0.0/0"], via: "192.168.77.1", PathAttributes(asPath: ASPath(birdAS, 65010, 4_200_000_005)))
    },
    Capture(speaker: "bird", name: "ebgp2-communities", context: twoOctet) {
        try announce(
            ["10.244.0.64/26"], via: "192.168.77.1", withCommunities(ASPath(birdAS), med: nil, localPref: nil))
    },
    Capture(speaker: "bird", name: "ebgp2-as-set", context: twoOctet) {
        try announce(["10.244.7.0/26"], via: "192.168.77.1", try reflected([birdAS]))
    },
    Capture(speaker: "bird", name: "ebgp2-ipv6", context: twoOctet, way: .equivalent) {
        try announce(ipv6Blocks, via: "fd00:77::1", PathAttributes(asPath: ASPath(birdAS)))
    },
    Capture(speaker: "bird", name: "ebgp4-as-set", context: ebgp) {
        try announce(["10.244.7.0/26"], via: "192.168.77.1", try reflected([birdAS]))
    },
    Capture(speaker: "bird", name: "ebgp4-ipv6", context: ebgp, way: .equivalent) {
        try announce(ipv6Blocks, via: "fd00:77::1", PathAttributes(asPath: ASPath(birdAS)))
    },
    Capture(speaker: "bird", name: "route-refresh-ipv4") {
        .routeRefresh(RouteRefreshMessage(family: .ipv4Unicast))
    },
    Capture(speaker: "bird", name: "route-refresh-ipv6") {
        .routeRefresh(RouteRefreshMessage(family: .ipv6Unicast))
    },
    Capture(speaker: "bird", name: "shutdown") {
        .notification(NotificationMessage(cease: CeaseSubcode.administrativeShutdown))
    },
]

private let gobgpCaptures: [Capture] = [
    Capture(speaker: "gobgp", name: "open") {
        let restart = GracefulRestart(
            isRestarting: false, notification: true, restartTime: 20,
            families: [
                .init(.ipv4Unicast, forwardingPreserved: false), .init(.ipv6Unicast, forwardingPreserved: false),
            ])
        // 73 is the FQDN capability, here of a host named "vm"; 5 is the extended next hop encoding.
        return try open(
            64512, 90,
            [.routeRefresh, .unknown(code: 73, value: hex("02 766d 00"))] + bothFamilies + [
                .fourOctetAS(ASNumber(64512)), .gracefulRestart(restart),
                .extendedNextHop([.ipv4OverIPv6]),
            ])
    },
    Capture(speaker: "gobgp", name: "ipv6", way: .equivalent) {
        try announce(
            ["fd00:10:244::/122"], via: "fd00:77::1", PathAttributes(origin: .incomplete, localPref: 100))
    },
    Capture(speaker: "gobgp", name: "end-of-rib-ipv6") { .update(.endOfRIB(.ipv6Unicast)) },
    Capture(speaker: "gobgp", name: "ipv4") {
        try announce(
            ["10.244.0.0/26"], via: "192.168.77.1", PathAttributes(origin: .incomplete, localPref: 100))
    },
    Capture(speaker: "gobgp", name: "communities") {
        var attributes = withCommunities(ASPath(), med: 50, localPref: 200)
        attributes.extendedCommunities = []
        return try announce(["10.244.0.64/26"], via: "192.168.77.1", attributes)
    },
    Capture(speaker: "gobgp", name: "as-set", way: .equivalent) {
        try announce(
            ["10.244.9.0/24"], via: "192.168.77.9",
            PathAttributes(
                origin: .incomplete,
                asPath: ASPath([
                    .sequence([ASNumber(65010), ASNumber(4_200_000_005)]), .set([ASNumber(65011), ASNumber(65012)]),
                ]),
                localPref: 100,
                aggregator: Aggregator(asNumber: ASNumber(65011), address: IPv4Address(10, 9, 9, 9))))
    },
    Capture(speaker: "gobgp", name: "end-of-rib-ipv4") { .update(.endOfRIB(.ipv4Unicast)) },
    Capture(speaker: "gobgp", name: "withdraw-ipv4") { try withdraw("10.244.0.0/26") },
    Capture(speaker: "gobgp", name: "withdraw-ipv6") { try withdraw("fd00:10:244::/122") },
    Capture(speaker: "gobgp", name: "shutdown-communication") { shutdown("drain node7") },
]

private let exabgpCaptures: [Capture] = [
    Capture(speaker: "exabgp", name: "open", way: .equivalent) {
        let restart = GracefulRestart(
            isRestarting: true, notification: false, restartTime: 1200,
            families: [
                .init(.ipv4Unicast, forwardingPreserved: true), .init(.ipv6Unicast, forwardingPreserved: true),
            ])
        let paths = [
            AddPathFamily(family: .ipv4Unicast, sendReceive: 3), AddPathFamily(family: .ipv6Unicast, sendReceive: 3),
        ]
        return try open(
            64512, 180,
            bothFamilies + [
                .fourOctetAS(ASNumber(64512)), .addPath(paths), .gracefulRestart(restart), .routeRefresh,
                .enhancedRouteRefresh, .extendedMessage,
            ])
    },
    Capture(speaker: "exabgp", name: "everything", way: .equivalent) {
        try announce(
            ["10.244.0.0/26"], via: "192.168.77.1",
            PathAttributes(
                origin: .incomplete, asPath: ASPath(65010, 4_200_000_005), med: 7, localPref: 300,
                isAtomicAggregate: true,
                aggregator: Aggregator(asNumber: ASNumber(65011), address: IPv4Address(10, 9, 9, 9)),
                communities: [Community(64512, 100), .noAdvertise],
                extendedCommunities: [ExtendedCommunity(rawValue: 0x0002_fc00_0000_0005)],
                largeCommunities: [LargeCommunity(64512, 1, 2), LargeCommunity(64512, 3, 4)],
                originatorID: RouterID("10.0.0.8"),
                clusterList: [ClusterID(rawValue: 0x0a00_0009), ClusterID(rawValue: 0x0a00_000a)]))
    },
    Capture(speaker: "exabgp", name: "unknown-attribute") {
        try announce(
            ["10.244.0.64/28", "10.244.0.80/28"], via: "192.168.77.1",
            PathAttributes(
                localPref: 100,
                unknown: [
                    RawAttribute(flags: [.optional, .transitive, .partial], type: 99, value: [1, 2, 3, 4, 5])
                ]))
    },
    Capture(speaker: "exabgp", name: "default-ipv4") {
        try announce(["0.0.0.0/0"], via: "192.168.77.1", PathAttributes(localPref: 100))
    },
    Capture(speaker: "exabgp", name: "ipv6", way: .equivalent) {
        try announce(["fd00:10:244::/122"], via: "fd00:77::1", PathAttributes(localPref: 150))
    },
    Capture(speaker: "exabgp", name: "default-ipv6", way: .equivalent) {
        try announce(["::/0"], via: "fd00:77::1", PathAttributes(localPref: 100))
    },
    Capture(speaker: "exabgp", name: "host-ipv6", way: .equivalent) {
        try announce(["2001:db8::1/128"], via: "fd00:77::1", PathAttributes(localPref: 100))
    },
    Capture(speaker: "exabgp", name: "end-of-rib-ipv4") { .update(.endOfRIB(.ipv4Unicast)) },
    Capture(speaker: "exabgp", name: "end-of-rib-ipv6", way: .equivalent) { .update(.endOfRIB(.ipv6Unicast)) },
]
