import JSONKit
import NetTypes
import NodeLink
import Testing

@Suite struct MessageTests {
    static let endpoint = Endpoint(
        network: "n", containerID: "c", ifName: "eth0",
        addresses: [IPPrefix("10.0.0.1/32"), IPPrefix("fd00::1/128")].compactMap { $0 },
        hostLink: "cali1", hostLinkIndex: 12, mode: "bgp")

    @Test(
        "A request reads as what was written",
        arguments: [
            (
                .endpointAdd(endpoint),
                #"{"id":7,"op":"endpointAdd","network":"n","containerID":"c","ifName":"eth0""#
                    + #","addresses":["10.0.0.1/32","fd00::1/128"],"hostLink":"cali1","hostLinkIndex":12,"mode":"bgp"}"#
            ),
            (
                .endpointDelete(
                    Endpoint(
                        network: "n", containerID: "c", ifName: "e", addresses: [], hostLink: "", hostLinkIndex: 0,
                        mode: "bgp")),
                #"{"id":7,"op":"endpointDelete","network":"n","containerID":"c","ifName":"e""#
                    + #","addresses":[],"hostLink":"","hostLinkIndex":0,"mode":"bgp"}"#
            ),
            (
                .blockRequest(
                    BlockRequest(family: .ipv4, mode: "bgp", full: [IPPrefix("10.0.0.0/26")].compactMap { $0 })),
                #"{"id":7,"op":"blockRequest","family":"ipv4","mode":"bgp","full":["10.0.0.0/26"]}"#
            ),
            (.status, #"{"id":7,"op":"status"}"#),
            (.get(.nodes), #"{"id":7,"op":"get","kind":"nodes"}"#),
            (.get(.routes), #"{"id":7,"op":"get","kind":"routes"}"#),
            (.page(.list(.routes), from: 2000), #"{"id":7,"op":"page","kind":"routes","from":2000}"#),
            (.unknown("endpointMove"), #"{"id":7,"op":"endpointMove"}"#),
        ] as [(Request.Operation, String)])
    func requests(operation: Request.Operation, text: String) throws {
        let request = Request(id: 7, operation: operation)
        #expect(JSONText.serialize(request.json) == text)
        #expect(try Request(json: JSONText.parse(text)) == request)
    }

    @Test(
        "A request that is wrong is refused, and the reason names the member",
        arguments: [
            (#"[]"#, "request: expected an object, found an array"),
            (#"{"op":"status"}"#, "request: id is missing"),
            (
                #"{"id":"1","op":"status"}"#,
                "request: id: expected an integer of -9223372036854775808...9223372036854775807, found \"1\""
            ),
            (#"{"id":1}"#, "request: op is missing"),
            (#"{"id":1,"op":5}"#, "request: op: expected a string, found an integer"),
            (
                #"{"id":1,"op":"get","kind":"pods"}"#,
                "request: kind: expected one of nodes, ippools, blocks, routes, resources, found \"pods\""
            ),
            (
                #"{"id":1,"op":"blockRequest","family":"ipx","mode":"bgp","full":[]}"#,
                "request: family: expected ipv4 or ipv6, found \"ipx\""
            ),
            (
                #"{"id":1,"op":"blockRequest","family":"ipv4","mode":"bgp","full":["10.0.0.1/26"]}"#,
                "request: full: expected prefixes, found \"10.0.0.1/26\""
            ),
            (
                #"{"id":1,"op":"endpointAdd","network":"n","containerID":"c","ifName":"e""#
                    + #","addresses":["10.0.0.0/24"],"hostLink":"","hostLinkIndex":0,"mode":"bgp"}"#,
                "request: addresses: expected addresses with /32 or /128, found \"10.0.0.0/24\""
            ),
        ])
    func refused(text: String, reason: String) throws {
        let json = try JSONText.parse(text)
        let error = #expect(throws: NodeLinkError.self) { try Request(json: json) }
        #expect(error?.description == "malformed message: \(reason)")
    }

    @Test("Answer and refusal read as what was written")
    func responses() throws {
        let answers: [(Response, String)] = [
            (Response(id: 1, result: .success(["block": "10.0.0.0/26"])), #"{"id":1,"ok":{"block":"10.0.0.0/26"}}"#),
            (
                Response(id: 2, result: .failure(RemoteError(code: 11, message: "wait"))),
                #"{"id":2,"error":{"code":11,"msg":"wait"}}"#
            ),
        ]
        for (response, text) in answers {
            #expect(JSONText.serialize(response.json) == text)
            #expect(try Response(json: JSONText.parse(text)) == response)
        }
        for text in [#"{"id":1}"#, #"{"id":1,"ok":[]}"#, #"{"id":1,"error":{"code":11}}"#, #"{"ok":{}}"#] {
            let json = try JSONText.parse(text)
            #expect(throws: NodeLinkError.self) { try Response(json: json) }
        }
    }

    @Test("A status of ten thousand peers is one message, counts all of them, and tells of one that is up")
    func manyPeers() throws {
        let long = String(repeating: "\u{1}", count: 255)
        let peers = (0..<10_000).map { index in
            PeerStatus(
                address: "10.\(index >> 16).\(index >> 8 & 255).\(index & 255) port 1790", family: .ipv4,
                type: "node-to-node mesh", state: index < 9_000 ? "start" : "up", since: 1_700_000_000,
                info: "Idle (received Cease, Administrative Shutdown: \(long))", asNumber: ASNumber(.max),
                node: String(repeating: "n", count: 253))
        }
        let answer = StatusAnswer(
            node: NodeStatus(name: "node1", asNumber: ASNumber(1), routerID: "10.0.0.1", startedAt: 0), peers: peers)
        let response = Response(id: 1, result: .success(answer.members))
        _ = try FrameDecoder.encode(response.json)
        let read = try StatusAnswer(answer.members)
        #expect(read.peerCounts.configured == 10_000 && read.peerCounts.up == 1_000)
        #expect(read.peers.count == StatusAnswer.maximumPeers)
        #expect(read.peers.first == peers.first && read.peers.last == peers[9_000])
        // A daemon of an earlier version counts none, and leaves none out.
        let former = JSONObject(read.members.members.filter { $0.name != "peerCounts" }.map { ($0.name, $0.value) })
        #expect(try StatusAnswer(former).peerCounts.configured == StatusAnswer.maximumPeers)
        #expect(try StatusAnswer(former).peerCounts.up == 1)
    }

    @Test("The status answer and every table survive their JSON")
    func tables() throws {
        let prefix = try #require(IPPrefix("10.0.0.0/26"))
        var status = StatusAnswer(
            node: NodeStatus(
                name: "node1", asNumber: ASNumber(64512), routerID: "192.168.1.1", startedAt: 1_700_000_000),
            peers: [
                PeerStatus(
                    address: "192.168.1.2", family: .ipv4, type: "node-to-node mesh", state: "up", since: 5,
                    info: "Established", asNumber: ASNumber(.max), node: "node2")
            ])
        status.tunnels = [
            TunnelStatus(device: "vxlan.calico", isOffloadOn: false, finding: .broken, peer: "10.0.1.0"),
            TunnelStatus(device: "tunl0", isOffloadOn: true, finding: .unknown),
        ]
        status.refusals = ["pools.yaml:7: IPPool/p: spec.cidr: required, but absent"]
        status.notes = ["pools.yaml:9: IPPool/p: spec.namespaceSelector: has no effect in this version"]
        status.warnings = ["there is no Node/m, to which BGPPeer/p gives a peer"]
        #expect(try StatusAnswer(status.members) == status)
        status.keyShortage = KeyShortage(peers: 3, first: "10.0.0.9", reason: "EPERM")
        #expect(try StatusAnswer(status.members) == status)
        status.keyShortage?.limitBytes = 20480
        status.keyShortage?.neededBytes = 24576
        #expect(try StatusAnswer(status.members) == status)
        status.faults = [DaemonFault(subject: "tunl0", problem: "no module", remedy: "modprobe ipip")]
        status.peers[0].hasPassword = true
        status.node.programsRoutes = false
        status.listening = BGPListening(port: 1790, addresses: [try #require(IPAddress("192.168.1.1"))])
        #expect(try StatusAnswer(status.members) == status)
        #expect(try BlockAnswer(BlockAnswer(block: prefix).members).block == prefix)
        try check(ListAnswer([NodeRow(name: "a", asNumber: ASNumber(1), ipv4: "192.168.1.1/24", ipv6: nil)]))
        try check(
            ListAnswer([
                PoolRow(
                    name: "p", cidr: prefix, mode: "bgp", blockSize: 26, natOutgoing: true, isDisabled: false,
                    nodeSelector: "all()")
            ]))
        try check(
            ListAnswer([
                BlockRow(
                    cidr: prefix, node: "a", pool: "p", isAnnounced: true, isClosed: false, allocated: 3, free: 60),
                BlockRow(
                    cidr: prefix, node: "b", pool: "p", isAnnounced: true, isClosed: false, allocated: nil, free: nil),
            ]))
        var pool = PoolRow(
            name: "p", cidr: prefix, mode: "crosssubnet", blockSize: 26, natOutgoing: true, isDisabled: false,
            nodeSelector: "all()")
        pool.device = "tunl0"
        try check(ListAnswer([pool]))
        var block = BlockRow(
            cidr: prefix, node: "a", pool: "p", isAnnounced: false, isClosed: true, allocated: 3, free: 60)
        block.isKept = true
        block.closedBecause = .conflict
        block.conflict = "a and b"
        try check(ListAnswer([block]))
        let document: JSONValue = ["kind": "BGPPeer", "spec": ["filters": ["a", "b"]]]
        try check(
            ListAnswer([
                ResourceRow(kind: "BGPPeer", name: "tor", file: "peers.yaml", document: document),
                ResourceRow(kind: "IPPool", name: "default-ipv4-ippool", file: nil, document: nil),
            ]))
        var route = RouteRow(
            prefix: prefix, nextHop: "192.168.1.2", peer: "192.168.1.2", asPath: "", mode: "bgp",
            state: "programmed", link: "eth0", announced: "vxlan")
        try check(ListAnswer([route]))
        route.obstacle = .conflict
        try check(ListAnswer([route]))
    }

    private func check<Row>(_ answer: ListAnswer<Row>) throws {
        let text = JSONText.serialize(.object(answer.members))
        let read = try #require(JSONText.parse(text).object)
        #expect(try ListAnswer<Row>(read) == answer)
    }

    @Test("Two sides talk only within one boot, namespace and version, and of one node")
    func hello() throws {
        let own = Hello(node: "node1", bootID: "b", netnsInode: 5)
        #expect(try Hello(json: own.json) == own)
        #expect(JSONText.serialize(own.json) == #"{"v":1,"node":"node1","bootID":"b","netns":5}"#)
        #expect(own.objection(to: own) == nil)
        #expect(own.objection(to: Hello(node: "", bootID: "b", netnsInode: 5)) == nil)
        #expect(own.objection(to: Hello(node: "node2", bootID: "b", netnsInode: 5)) == "is node node2, not node1")
        #expect(
            own.objection(to: Hello(node: "node1", bootID: "c", netnsInode: 5)) == "lives in another boot (c, not b)")
        #expect(
            own.objection(to: Hello(node: "node1", bootID: "b", netnsInode: 6))
                == "is in another network namespace (6, not 5)")
        var later = own
        later.version = 2
        #expect(own.objection(to: later) == "speaks version 2 of the protocol, not 1")
    }
}
