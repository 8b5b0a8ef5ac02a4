import NetTypes
import Resources
import Testing

@Suite("Resources about tunnels")
struct TunnelResourcesTests {
    @Test("of FelixConfiguration's other fields those warn that change the way of packets, and those nobody knows")
    func otherFields() {
        let decoded = ResourceDecoder.decode([
            resource(
                "FelixConfiguration", "default",
                [
                    "natPortRange": "1000:2000", "bpfEnabled": false, "logSeverityScreen": "Info",
                    "floatingIPs": "Disabled", "vxlanPrt": 4790,
                ])
        ])
        #expect(decoded.isWhole)
        #expect(
            decoded.diagnostics.map { "\($0.severity): \($0.field ?? "")" }.sorted()
                == ["ineffective: spec.natPortRange", "warning: spec.vxlanPrt"])
    }

    @Test("a node's own FelixConfiguration goes before the cluster's, field by field; 0 follows the host")
    func felix() {
        let decoded = ResourceDecoder.decode([
            resource(
                "FelixConfiguration", "default",
                [
                    "vxlanVNI": 77, "vxlanPort": 8472, "vxlanMTU": 0, "ipipMTU": 1400, "bpfEnabled": false,
                    "allowVXLANPacketsFromWorkloads": true,
                ]),
            resource("FelixConfiguration", "node.node1", ["vxlanPort": 4790, "mtuIfacePattern": "^eth.*"]),
        ])
        #expect(decoded.isWhole)
        let first = decoded.configuration.felixConfiguration(of: "node1")
        let second = decoded.configuration.felixConfiguration(of: "node2")
        #expect(first.vxlanVNI == 77 && first.vxlanPort == 4790 && first.mtuIfacePattern == "^eth.*")
        #expect(second.vxlanPort == 8472 && second.mtuIfacePattern == nil)
        #expect(first.allowVXLANPacketsFromWorkloads == true && first.allowIPIPPacketsFromWorkloads == nil)
        #expect(first.mtuBytes(.vxlan, over: .ipv4) == nil && first.mtuBytes(.ipip, over: .ipv4) == 1400)
    }

    @Test(
        "of the features that are not to be detected the checksum offload is known; the others are Calico's",
        arguments: [
            ("ChecksumOffloadBroken=true", true), ("ChecksumOffloadBroken=False", false),
            ("SNATFullyRandom=true,ChecksumOffloadBroken=true", true), ("ChecksumOffloadBroken=", nil),
            ("MASQFullyRandom=false, ChecksumOffloadBroken = false", false), ("", nil),
        ] as [(String, Bool?)])
    func features(text: String, isBroken: Bool?) {
        let decoded = ResourceDecoder.decode([
            resource("FelixConfiguration", "default", ["featureDetectOverride": .quoted(text)]),
            resource("FelixConfiguration", "node.node1", ["vxlanPort": 4790]),
        ])
        #expect(decoded.isWhole)
        #expect(decoded.configuration.felixConfiguration(of: "node1").isChecksumOffloadBroken == isBroken)
    }

    @Test(
        "what a tunnel cannot have is refused",
        arguments: [
            ("vxlanVNI", "16777216"), ("vxlanVNI", "0"), ("vxlanPort", "70000"), ("ipipMTU", "100"),
            ("vxlanMTUV6", "1279"), ("allowIPIPPacketsFromWorkloads", "maybe"),
            ("featureDetectOverride", "ChecksumOffloadBroken=perhaps"),
        ])
    func refused(field: String, value: String) {
        let decoded = ResourceDecoder.decode([
            resource("FelixConfiguration", "default", .map([(field, .plain(value))]))
        ])
        #expect(decoded.diagnostics.map(\.field) == ["spec." + field] && !decoded.isWhole)
    }

    @Test("a Node tells where its tunnels end, as Calico writes it")
    func node() throws {
        let decoded = ResourceDecoder.decode([
            resource(
                "Node", "node1",
                [
                    "bgp": ["ipv4Address": "192.168.1.1/24", "ipv4IPIPTunnelAddr": "10.244.0.1"],
                    "ipv4VXLANTunnelAddr": "10.244.0.0", "vxlanTunnelMACAddr": "66:f9:37:c3:7e:94",
                    "ipv6VXLANTunnelAddr": "fd00:244::", "vxlanTunnelMACAddrV6": "66:0f:35:f2:60:df",
                ])
        ])
        #expect(decoded.isWhole)
        let ends = try #require(decoded.configuration.node("node1")).tunnelEnds
        #expect(ends.ipip == IPAddress("10.244.0.1") && ends.vxlan[.ipv4] == IPAddress("10.244.0.0"))
        #expect(ends.vxlanMAC[.ipv6] == MACAddress("66:0f:35:f2:60:df") && ends.vxlan[.ipv6] == IPAddress("fd00:244::"))
        let wrong = ResourceDecoder.decode([
            resource("Node", "node1", ["vxlanTunnelMACAddr": "01:00:5e:00:00:01"])
        ])
        #expect(!wrong.isWhole)
    }
}
