import NetTypes
import Resources
import Testing

/// A resource with something wrong in its spec, and the one line that is to be said of it.
struct Refusal: Sendable, CustomTestStringConvertible {
    let kind: String
    let spec: @Sendable () -> Shape
    let line: String

    init(_ kind: String, _ line: String, _ spec: @autoclosure @escaping @Sendable () -> Shape) {
        self.kind = kind
        self.line = line
        self.spec = spec
    }

    var testDescription: String { line }
}

@Suite("Refusing resources")
struct RefusalTests {
    @Test(
        "a wrong value refuses the resource with file, line, field and reason",
        arguments: [
            Refusal(
                "IPPool", "6: spec.cidr: \"10.0.0.1/8\" has bits set beyond the prefix length; write 10.0.0.0/8",
                ["cidr": "10.0.0.1/8"]),
            Refusal("IPPool", "6: spec.cidr: expected a network such as 10.244.0.0/16, found a list", ["cidr": []]),
            Refusal("IPPool", "5: spec.cidr: required, but absent", ["natOutgoing": true]),
            Refusal("IPPool", "5: spec.cidr: required, but absent", ["cidr": "null"]),
            Refusal("IPPool", "5: spec: expected a mapping, found \"x\"", "x"),
            Refusal("IPPool", "5: spec: required, but absent", "~"),
            Refusal(
                "IPPool", "7: spec.blockSize: 19 is no block size of IPv4: expected 20 to 32",
                ["cidr": "10.0.0.0/8", "blockSize": 19]),
            Refusal(
                "IPPool", "7: spec.blockSize: expected a whole number from 0 to 128, found \"26\"",
                ["cidr": "10.0.0.0/8", "blockSize": .quoted("26")]),
            Refusal(
                "IPPool", "7: spec.blockSize: 26 is no block size of IPv6: expected 116 to 128",
                ["cidr": "fd00::/64", "blockSize": 26]),
            Refusal("IPPool", "6: spec.cidr: 10.0.0.0/27 is smaller than one block, a /26", ["cidr": "10.0.0.0/27"]),
            Refusal(
                "IPPool", "6: spec.cidr: 169.254.1.0/24 overlaps 169.254.0.0/16, whose addresses name no pod",
                ["cidr": "169.254.1.0/24"]),
            Refusal(
                "IPPool", "8: spec.vxlanMode: ipipMode and vxlanMode are both set; write Never for one of them",
                ["cidr": "10.0.0.0/8", "ipipMode": "Always", "vxlanMode": "CrossSubnet"]),
            Refusal(
                "IPPool", "7: spec.ipipMode: expected one of Never, Always, CrossSubnet, found \"always\"",
                ["cidr": "10.0.0.0/8", "ipipMode": "always"]),
            Refusal(
                "IPPool", "7: spec.ipipMode: IP in IP carries IPv4 only; write vxlanMode, or Never",
                ["cidr": "fd00::/64", "ipipMode": "Always"]),
            Refusal(
                "IPPool", "7: spec.natOutgoing: expected true or false, found \"yes\"",
                ["cidr": "10.0.0.0/8", "natOutgoing": "yes"]),
            Refusal(
                "IPPool",
                "7: spec.nodeSelector: \"rack = 'a'\": \"=\" means nothing in a selector at character 6 of the selector",
                ["cidr": "10.0.0.0/8", "nodeSelector": "rack = 'a'"]),
            Refusal(
                "BGPConfiguration", "6: spec.listenPort: expected a whole number from 1 to 65535, found \"0\"",
                ["listenPort": 0]),
            Refusal(
                "BGPConfiguration", "6: spec.asNumber: expected an AS number such as 64512 or 1.10, found \"0\"",
                ["asNumber": 0]),
            Refusal(
                "BGPConfiguration",
                "6: spec.nodeMeshMaxRestartTime: expected a duration from 1s to 24h, such as 120s, found \"120\"",
                ["nodeMeshMaxRestartTime": 120]),
            Refusal(
                "BGPConfiguration", "7: spec.nodeMeshPassword.secretKeyRef.key: required, but absent",
                ["nodeMeshPassword": ["secretKeyRef": ["name": "s"]]]),
            Refusal(
                "BGPPeer",
                "11: spec.password.secretKeyRef.key: expected a name of letters, digits, -, . and _, found \"../k\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "password": ["secretKeyRef": ["name": "s", "key": "../k"]]]),
            Refusal(
                "BGPPeer", "8: spec.ttlSecurity: expected a whole number from 1 to 254, found \"0\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "ttlSecurity": 0]),
            Refusal(
                "BGPPeer", "8: spec.longLivedStaleTime: expected a duration up to 16777215s, found \"5000h\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "longLivedStaleTime": "5000h"]),
            Refusal(
                "BGPPeer", "8: spec.holdTime: expected 0s, or a duration from 3s to 65535s, found \"2s\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "holdTime": "2s"]),
            Refusal(
                "BGPPeer", "8: spec.sendHoldTime: expected 0s, or a duration from 1s to 24h, found \"soon\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "sendHoldTime": "soon"]),
            Refusal(
                "BGPPeer", "8: spec.idleHoldTime: expected 0s, or a duration from 1s to 24h, found \"25h\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "idleHoldTime": "25h"]),
            Refusal(
                "BGPPeer", "8: spec.idleHoldTime: expected 0s, or a duration from 1s to 24h, found \"1ns\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "idleHoldTime": "1ns"]),
            Refusal(
                "BGPPeer",
                "8: spec.maximumPrefixesRestartTime: expected 0s, or a duration from 1s to 24h, found \"1ms\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "maximumPrefixesRestartTime": "1ms"]),
            Refusal(
                "BGPPeer", "8: spec.keepaliveTime: expected a duration of 1s or more, such as 30s, found \"1ns\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "keepaliveTime": "1ns"]),
            Refusal(
                "BGPPeer", "8: spec.maxRestartTime: expected a duration from 1s to 24h, such as 120s, found \"1ms\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "maxRestartTime": "1ms"]),
            Refusal(
                "BGPPeer", "7: spec.localASNumber: not allowed with peerSelector: each node's own AS number counts",
                ["peerSelector": "all()", "localASNumber": 1]),
            Refusal(
                "BGPPeer", "8: spec.maximumPrefixesAction: expected one of Restart, Warn, found \"Block\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "maximumPrefixesAction": "Block"]),
            Refusal(
                "BGPPeer", "8: spec.maximumPrefixesWarning: expected a whole number from 1 to 100, found \"0\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "maximumPrefixesWarning": 0]),
            Refusal(
                "BGPPeer", "9: spec.bfd.minRx: expected a duration from 10ms to 60s, found \"1ms\"",
                ["peerIP": "10.0.0.1", "asNumber": 1, "bfd": ["minRx": "1ms"]]),
            Refusal("BGPPeer", "5: spec.asNumber: required with peerIP, but absent", ["peerIP": "10.0.0.1"]),
            Refusal(
                "BGPPeer", "5: spec.peerIP: required unless there is a peerSelector, but absent", ["node": "node1"]),
            Refusal(
                "BGPPeer", "7: spec.peerSelector: peerIP is set too; write one of them",
                ["peerIP": "10.0.0.1", "peerSelector": "all()", "asNumber": 1]),
            Refusal(
                "BGPPeer", "7: spec.nodeSelector: node is set too; write one of them",
                ["node": "n", "nodeSelector": "all()", "peerIP": "10.0.0.1", "asNumber": 1]),
            Refusal(
                "BGPPeer", "7: spec.asNumber: not allowed with peerSelector: each node's own AS number counts",
                ["peerSelector": "all()", "asNumber": 1]),
            Refusal(
                "BGPPeer",
                "6: spec.peerIP: expected an address such as 192.168.1.1 or [fd00::1]:179, found \"10.0.0.1:+5\"",
                ["peerIP": "10.0.0.1:+5", "asNumber": 1]),
            Refusal(
                "BGPPeer", "6: spec.peerIP: \"224.0.0.1\" is no address that a peer can have",
                ["peerIP": "224.0.0.1", "asNumber": 1]),
            Refusal(
                "Node", "7: spec.bgp.ipv4Address: expected an IPv4 address, found \"fd00::1\"",
                ["bgp": ["ipv4Address": "fd00::1"]]),
            Refusal(
                "Node",
                "7: spec.bgp.ipv4Address: 10.1.1.0/24 is no address that a node can have: it is the address of the "
                    + "network 10.1.1.0/24 itself",
                ["bgp": ["ipv4Address": "10.1.1.0/24"]]),
            Refusal(
                "Node",
                "7: spec.bgp.ipv4Address: 10.1.1.63/26 is no address that a node can have: it is the broadcast address "
                    + "of 10.1.1.0/26",
                ["bgp": ["ipv4Address": "10.1.1.63/26"]]),
            Refusal(
                "Node", "7: spec.bgp.ipv4Address: \"127.0.0.1/8\" is no address that a node can have",
                ["bgp": ["ipv4Address": "127.0.0.1/8"]]),
            Refusal(
                "Node",
                "7: spec.bgp.ipv4Address: 169.254.1.1 is no address that a node can have: every pod has its gateway there",
                ["bgp": ["ipv4Address": "169.254.1.1"]]),
            Refusal(
                "Node",
                "7: spec.bgp.ipv6Address: fe80::1/64 is no address that a node can have: it is link-local, and means "
                    + "nothing beyond one link",
                ["bgp": ["ipv6Address": "fe80::1/64"]]),
            Refusal(
                "Node",
                "7: spec.bgp.ipv6Address: fd00::/64 is no address that a node can have: it is the address of all routers "
                    + "of fd00::/64 (RFC 4291 §2.6.1)",
                ["bgp": ["ipv6Address": "fd00::/64"]]),
            Refusal(
                "Node",
                "7: spec.bgp.ipv6Address: ::ffff:a01:101 is no address that a node can have: it stands for an IPv4 "
                    + "address; write that",
                ["bgp": ["ipv6Address": "::ffff:10.1.1.1"]]),
            Refusal(
                "BGPPeer",
                "6: spec.peerIP: \"fe80::1\" is link-local: write the peer's global or unique local address",
                ["peerIP": "fe80::1", "asNumber": 1]),
            Refusal(
                "BGPPeer",
                "6: spec.peerIP: \"fe80::1%eth0\" is link-local: write the peer's global or unique local address",
                ["peerIP": "fe80::1%eth0", "asNumber": 1]),
            Refusal(
                "Node",
                "7: spec.bgp.routeReflectorClusterID: expected a cluster ID such as 244.0.0.1, found \"0.0.0.0\"",
                ["bgp": ["routeReflectorClusterID": "0.0.0.0"]]),
            Refusal(
                "Node", "8: spec.addresses[0].address: \"0.0.0.0\" is no address that a node can have",
                ["addresses": [["address": "0.0.0.0", "type": "InternalIP"]]]),
            Refusal(
                "BlockAffinity", "6: spec.cidr: 10.0.0.0/16 is no block of IPv4: expected /20 to /32",
                ["cidr": "10.0.0.0/16", "node": "n"]),
            Refusal("BlockAffinity", "5: spec.node: required, but absent", ["cidr": "10.0.0.0/26"]),
        ])
    func refused(_ refusal: Refusal) throws {
        let decoded = ResourceDecoder.decode([
            resource(refusal.kind, "default", refusal.spec()),
            resource("IPPool", "other", ["cidr": "172.16.0.0/16"]),
        ])
        let parts = refusal.line.split(separator: ": ", maxSplits: 1)
        let line = try #require(parts.first)
        let rest = try #require(parts.last)
        #expect(decoded.diagnostics.map(\.description) == ["a.yaml:\(line): \(refusal.kind)/default: \(rest)"])
        #expect(!decoded.isWhole)
        // No other resource is touched by it.
        #expect(decoded.configuration == ClusterConfiguration(pools: decoded.configuration.pools))
        #expect(decoded.configuration.pools.map(\.name) == ["other"])
    }

    @Test("everything that is wrong with a resource is said at once, in the order of its lines")
    func severalFindings() {
        let found = findings(
            resource("IPPool", "p", ["natOutgoing": 1, "foo": "x", "cidr": "10.0.0.0/33", "blockSize": "x"]))
        #expect(
            found == [
                "error: a.yaml:6: IPPool/p: spec.natOutgoing: expected true or false, found \"1\"",
                "warning: a.yaml:7: IPPool/p: spec.foo: unknown field, ignored",
                "error: a.yaml:8: IPPool/p: spec.cidr: "
                    + "expected a network such as 10.244.0.0/16, found \"10.0.0.0/33\"",
                "error: a.yaml:9: IPPool/p: spec.blockSize: expected a whole number from 0 to 128, found \"x\"",
            ])
    }

    @Test("an unknown field is a warning and the resource is used")
    func unknownField() {
        let decoded = ResourceDecoder.decode([resource("IPPool", "p", ["cidr": "10.0.0.0/8", "cdir": "x"])])
        #expect(decoded.diagnostics.map(\.description) == ["a.yaml:7: IPPool/p: spec.cdir: unknown field, ignored"])
        #expect(decoded.diagnostics.map(\.severity) == [.warning])
        #expect(decoded.isWhole)
        #expect(decoded.configuration.pools.count == 1)
    }

    @Test("a kind that is known and not used is noted once; one that is unknown is refused")
    func kinds() {
        #expect(
            findings(
                resource("IPAMConfiguration", "f", ["strictAffinity": true]), resource("IPAMConfiguration", "g", [:]),
                resource("IPPools", "p", [:], file: "b.yaml")) == [
                    "note: a.yaml:0: IPAMConfiguration/f: IPAMConfiguration resources have no effect in this version",
                    "error: b.yaml:2: kind: \"IPPools\" is no kind of resource that Apus knows; it uses IPPool, "
                        + "BGPConfiguration, BGPPeer, Node, BlockAffinity, BGPFilter, FelixConfiguration, IPReservation",
                ])
    }

    @Test(
        "what stops packets in Calico, or sends them another way, is told as without effect; what does not is a note",
        arguments: [
            ("NetworkPolicy", "ineffective"), ("GlobalNetworkPolicy", "ineffective"), ("HostEndpoint", "ineffective"),
            ("Tier", "ineffective"), ("Profile", "ineffective"), ("ClusterInformation", "note"),
            ("StagedNetworkPolicy", "note"), ("StagedGlobalNetworkPolicy", "note"),
            ("StagedKubernetesNetworkPolicy", "note"), ("KubeControllersConfiguration", "note"),
        ])
    func ineffectiveKinds(kind: String, severity: String) {
        #expect(
            findings(resource(kind, "x", [:]), resource(kind, "y", [:])) == [
                "\(severity): a.yaml:0: \(kind)/x: \(kind) resources have no effect in this version"
            ])
    }

    @Test(
        "so are settings of BGP",
        arguments: [
            ("serviceClusterIPs", "ineffective"), ("serviceExternalIPs", "ineffective"),
            ("serviceLoadBalancerIPs", "ineffective"), ("localWorkloadPeeringIPV4", "ineffective"),
            ("localWorkloadPeeringIPV6", "ineffective"), ("ignoredInterfaces", "ineffective"),
            ("ipv4NormalRoutePriority", "ineffective"), ("ipv6NormalRoutePriority", "ineffective"),
            ("logSeverityScreen", "note"),
        ])
    func ineffectiveSettings(field: String, severity: String) {
        let found = findings(resource("BGPConfiguration", "default", .map([(field, .plain("x"))])))
        #expect(found.count == 1 && found.first?.hasPrefix("\(severity): ") == true, "\(found)")
    }

    @Test("documents that are no resources")
    func noResources() {
        #expect(findings(document("x")) == ["error: a.yaml:0: expected a mapping, found \"x\""])
        #expect(
            findings(document(["kind": "IPPool", "metadata": ["name": "p"], "spec": ["cidr": "10.0.0.0/8"]]))
                == ["error: a.yaml:0: IPPool/p: apiVersion: required, but absent"])
        #expect(
            findings(document(["apiVersion": "v1", "kind": "Node", "metadata": ["name": "n"]]))
                == ["error: a.yaml:1: Node/n: apiVersion: \"v1\" is not known; write projectcalico.org/v3"])
        #expect(
            findings(document(["apiVersion": "projectcalico.org/v3", "kind": "Node", "metadata": ["name": "a/b"]]))
                == [
                    "error: a.yaml:4: metadata.name: \"a/b\" is no name: 1 to 253 letters, digits, \".\", \"_\" "
                        + "and \"-\""
                ])
    }

    @Test("a BGPConfiguration of a node may not set what is the cluster's, nor have any other name")
    func nodeBGPConfiguration() {
        #expect(
            findings(resource("BGPConfiguration", "node.n", ["asNumber": 1])) == [
                "error: a.yaml:6: BGPConfiguration/node.n: spec.asNumber: a setting of the whole cluster; "
                    + "write it in BGPConfiguration/default"
            ])
        #expect(
            findings(resource("BGPConfiguration", "other", [:])) == [
                "error: a.yaml:3: BGPConfiguration/other: metadata: the name \"other\" has no meaning here; "
                    + "write default or node.NAME"
            ])
    }

    @Test("two resources of one kind and name are both refused, and each line names the other place")
    func duplicates() {
        let decoded = ResourceDecoder.decode([
            resource("IPPool", "p", ["cidr": "10.0.0.0/16"]),
            resource("IPPool", "p", ["cidr": "wrong"], file: "b.yaml"),
            resource("Node", "p", [:]),
        ])
        #expect(
            decoded.diagnostics.map(\.description) == [
                "a.yaml:0: IPPool/p: defined twice, here and at b.yaml:0; neither is used",
                "b.yaml:0: IPPool/p: defined twice, here and at a.yaml:0; neither is used",
                "b.yaml:6: IPPool/p: spec.cidr: expected a network such as 10.244.0.0/16, found \"wrong\"",
            ])
        #expect(decoded.configuration.pools == [])
        #expect(decoded.configuration.nodes.count == 1)
    }

    @Test("a repeated key refuses the whole file and no other")
    func repeatedKey() {
        let twice = document(.map([("kind", "Node"), ("metadata", ["name": "n"]), ("kind", "IPPool")]))
        let decoded = ResourceDecoder.decode([
            twice, resource("IPPool", "p", ["cidr": "10.0.0.0/16"]),
            resource("IPPool", "q", ["cidr": "10.1.0.0/16"], file: "b.yaml"),
        ])
        #expect(
            decoded.diagnostics.map(\.description) == [
                "a.yaml:4: the key \"kind\" is repeated; the file is refused: is the line --- missing between "
                    + "two resources?"
            ])
        #expect(decoded.configuration.pools.map(\.name) == ["q"])
    }

    @Test("what the loader refused is part of the outcome")
    func loaderRefusals() {
        let refusal = Diagnostic(.error, file: "b.yaml", line: 3, reason: "no YAML")
        let decoded = ResourceDecoder.decode([resource("Node", "n", [:])], refusals: [refusal])
        #expect(decoded.diagnostics == [refusal])
        #expect(!decoded.isWhole)
        #expect(decoded.configuration.nodes.count == 1)
    }

    @Test("hostile text in a value is escaped and cut")
    func hostileText() {
        let text = "a\n\u{1b}[2J" + String(repeating: "x", count: 1000)
        let found = findings(resource("IPPool", "p", ["cidr": .plain(text)]))
        #expect(found.allSatisfy { !$0.contains("\n") && !$0.contains("\u{1b}") && $0.count < 250 })
        #expect(found.count == 1)
    }
}
