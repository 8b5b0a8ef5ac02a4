import NetTypes
import Resources
import Testing

private func decoded(_ nodes: [String], isBroken: Bool = false) -> DecodedResources {
    DecodedResources(
        configuration: ClusterConfiguration(nodes: nodes.map { Node(name: $0) }),
        diagnostics: isBroken
            ? [Diagnostic(.error, file: "a.yaml", reason: "wrong")]
            : [
                Diagnostic(.warning, file: "a.yaml", reason: "odd")
            ])
}

@Suite("The configuration in force")
struct ConfigurationInForceTests {
    @Test("a reload with an error changes nothing, one without it is adopted")
    func lastGood() {
        var inForce = ConfigurationInForce()
        #expect(inForce.offer(decoded(["a", "b"])) == .adopted)
        #expect(inForce.offer(decoded(["a"], isBroken: true)) == .kept)
        #expect(inForce.configuration?.nodes.map(\.name) == ["a", "b"])
        #expect(inForce.isWhole)
        #expect(inForce.offer(decoded(["a", "b"])) == .unchanged)
        #expect(inForce.offer(decoded(["c"])) == .adopted)
        #expect(inForce.configuration?.nodes.map(\.name) == ["c"])
    }

    @Test("at the start the good remainder is in force and known not to be whole, until it is")
    func start() {
        var inForce = ConfigurationInForce()
        #expect(inForce.configuration == nil && !inForce.isWhole)
        #expect(inForce.offer(decoded(["a"], isBroken: true)) == .adopted)
        #expect(!inForce.isWhole)
        #expect(inForce.offer(decoded(["a"], isBroken: true)) == .unchanged)
        #expect(inForce.offer(decoded(["a", "b"], isBroken: true)) == .adopted)
        #expect(inForce.offer(decoded(["a", "b"])) == .adopted)
        #expect(inForce.isWhole)
    }
}

@Suite("Refusals while the configuration is not whole")
struct RefusalInForceTests {
    /// A filter that was wrong from the start on.
    private let old = resource("BGPFilter", "old", ["importV4": [["action": "Perhaps"]]], file: "filter.yaml")
    private let pool = resource("IPPool", "p", ["cidr": "10.244.0.0/16"], file: "pools.yaml")
    private func peer(_ asNumber: Shape, at address: Shape = "10.0.0.9") -> Document {
        resource("BGPPeer", "tor", ["peerIP": address, "asNumber": asNumber], file: "peers.yaml")
    }

    private func inForce(_ readings: DecodedResources...) -> ConfigurationInForce {
        var inForce = ConfigurationInForce()
        for reading in readings { _ = inForce.offer(reading) }
        return inForce
    }

    @Test("what was good and is refused now stays as it was, while others change")
    func refused() {
        let wider = resource("IPPool", "p", ["cidr": "10.244.0.0/15"], file: "pools.yaml")
        let before = inForce(ResourceDecoder.decode([old, pool, peer("64512")]))
        let after = inForce(
            ResourceDecoder.decode([old, pool, peer("64512")]), ResourceDecoder.decode([old, wider, peer("sixty")]))
        #expect(before.configuration?.peers.count == 1)
        #expect(after.configuration?.peers == before.configuration?.peers)
        #expect(after.configuration?.pools.map(\.cidr.description) == ["10.244.0.0/15"])
        #expect(!after.isWhole)
    }

    @Test("it stays for as long as it is refused, and goes when it is removed")
    func removed() {
        let broken = ResourceDecoder.decode([old, pool, peer("sixty")])
        let twice = inForce(ResourceDecoder.decode([old, pool, peer("64512")]), broken, broken)
        #expect(twice.configuration?.peers.map(\.name) == ["tor"])
        var gone = twice
        #expect(gone.offer(broken) == .unchanged)
        #expect(gone.offer(ResourceDecoder.decode([old, pool])) == .adopted)
        #expect(gone.configuration?.peers.isEmpty ?? false)
    }

    @Test("a file that cannot be read keeps what it held, and no other file's")
    func file() {
        let refusal = Diagnostic(.error, file: "peers.yaml", reason: "cannot be read: EIO")
        let good = ResourceDecoder.decode([old, pool, peer("64512")])
        let broken = ResourceDecoder.decode([old], refusals: [refusal])
        let unread = inForce(good, broken)
        #expect(unread.configuration?.peers.map(\.name) == ["tor"])
        #expect(unread.configuration?.pools.isEmpty ?? false)
        let kept = inForce(good, broken, broken)
        #expect(kept.configuration?.peers.map(\.name) == ["tor"])
    }

    @Test("a default pool, which is in no file, stays until there is another")
    func defaultPool() {
        var start = ResourceDecoder.decode([old])
        start.configuration = DefaultPools().completing(start.configuration, demanded: DefaultPools.Tunnels())
        #expect(start.configuration.pools.count == 1)
        let typo = resource("IPPool", "p", ["cidr": "10.244.0.0/160"], file: "pools.yaml")
        #expect(inForce(start, ResourceDecoder.decode([old, typo])).configuration == start.configuration)
        let written = inForce(start, ResourceDecoder.decode([old, pool]))
        #expect(written.configuration?.pools.map(\.name) == ["p"])
    }

    @Test("what is refused may be a pool or a node if it is one, or if not even its name can be read")
    func kinds() {
        func refused(_ resource: String?) -> DecodedResources {
            DecodedResources(
                configuration: ClusterConfiguration(),
                diagnostics: [Diagnostic(.error, file: "a.yaml", resource: resource, reason: "wrong")])
        }
        #expect(refused("IPPool/p").mayLackPool && !refused("IPPool/p").mayLackNode)
        #expect(!refused("Node/n").mayLackPool && refused("Node/n").mayLackNode)
        #expect(!refused("BGPFilter/f").mayLackPool && !refused("BGPFilter/f").mayLackNode)
        #expect(refused(nil).mayLackPool && refused(nil).mayLackNode)
    }

    @Test("what stays is told of with the file and the document that it is from, and of what is new its own")
    func documents() {
        let wider = resource("IPPool", "p", ["cidr": "10.244.0.0/15"], file: "pools.yaml")
        let after = inForce(
            ResourceDecoder.decode([old, pool, peer("64512")]), ResourceDecoder.decode([old, wider, peer("sixty")]))
        let start = #"{"apiVersion":"projectcalico.org/v3","kind":"#
        #expect(
            after.resources.map { [$0.identity, $0.file, $0.document] } == [
                [
                    "IPPool/p", "pools.yaml",
                    start + #""IPPool","metadata":{"name":"p"},"spec":{"cidr":"10.244.0.0/15"}}"#,
                ],
                [
                    "BGPPeer/tor", "peers.yaml",
                    start + #""BGPPeer","metadata":{"name":"tor"},"spec":{"peerIP":"10.0.0.9","asNumber":64512}}"#,
                ],
            ])
    }

    @Test(
        "a document is kept as JSON, and what only looks like a number as the text it is",
        arguments: [
            ("12", true, "12"), ("-7", true, "-7"), ("1.10", true, #""1.10""#), ("012", true, #""012""#),
            ("true", true, "true"), ("~", true, "null"), ("", true, "null"), ("true", false, #""true""#),
            ("a\"b\\c\nd\u{1}", false, #""a\"b\\c\nd\u0001""#),
        ])
    func json(text: String, isPlain: Bool, expected: String) {
        let node = DocumentNode(.scalar(text, isPlain: isPlain), line: 1)
        #expect(node.json == expected)
        let pair = DocumentNode.Pair(DocumentNode(.scalar("k", isPlain: true), line: 1), node)
        let list = DocumentNode(.sequence([DocumentNode(.mapping([pair, pair]), line: 1)]), line: 1)
        #expect(list.json == #"[{"k":\#(expected),"k":\#(expected)}]"#)
    }

    @Test("a place that cannot be read keeps everything")
    func place() {
        var nothing = ResourceDecoder.decode(
            [], refusals: [Diagnostic(.error, file: "/etc/apus", reason: "does not exist")])
        nothing.isPlaceRead = false
        let before = inForce(ResourceDecoder.decode([old, pool, peer("64512")]))
        var after = before
        #expect(after.offer(nothing) == .unchanged)
        #expect(after.configuration == before.configuration)
    }

    @Test("a node that stays gives way to a new one that has its address")
    func conflict() {
        func node(_ name: String, _ address: Shape) -> Document {
            resource("Node", name, ["bgp": ["ipv4Address": address]], file: "nodes.yaml")
        }
        let good = ResourceDecoder.decode([old, node("a", "10.0.0.1/24"), node("b", "10.0.0.2/24")])
        let typo = inForce(good, ResourceDecoder.decode([old, node("a", "10.0.0.1/240"), node("b", "10.0.0.2/24")]))
        #expect(typo.configuration?.nodes.map(\.name) == ["a", "b"])
        let moved = inForce(good, ResourceDecoder.decode([old, node("a", "10.0.0.1/240"), node("b", "10.0.0.1/24")]))
        #expect(moved.configuration?.nodes.map(\.name) == ["b"])
        let claimed = inForce(
            good, ResourceDecoder.decode([old, node("a", "10.0.0.1/24"), node("c", "10.0.0.1/24")]))
        #expect(claimed.configuration?.nodes.map(\.name) == ["a"])
    }

    @Test("a peer whose password can be read no more keeps the one it had; one that never had one is taken anew")
    func password() {
        let reference = SecretReference(name: "s", key: "k")
        func reading(_ secret: Secret?, asNumber: Shape) -> DecodedResources {
            var decoded = ResourceDecoder.decode([
                old,
                resource(
                    "BGPPeer", "tor",
                    [
                        "peerIP": "10.0.0.9", "asNumber": asNumber,
                        "password": ["secretKeyRef": ["name": "s", "key": "k"]],
                    ], file: "peers.yaml"),
            ])
            decoded.configuration.secrets[reference] = secret
            if secret == nil {
                decoded.diagnostics.append(
                    Diagnostic(.error, file: "secrets/s/k", resource: "BGPPeer/tor", reason: "cannot be read: EIO"))
            }
            return decoded
        }
        let secret = Secret(bytes: [1, 2, 3])
        let kept = inForce(reading(secret, asNumber: "64512"), reading(nil, asNumber: "64513"))
        #expect(kept.configuration?.secrets[reference] == secret)
        #expect(kept.configuration == inForce(reading(secret, asNumber: "64512")).configuration)
        let never = inForce(reading(nil, asNumber: "64512"), reading(nil, asNumber: "64513"))
        #expect(never.configuration == reading(nil, asNumber: "64513").configuration)
    }
}
