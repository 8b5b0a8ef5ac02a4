import NetTypes
import Testing

@testable import Netlink
@testable import apusctl

/// What is wrong with links by what the kernel shows of them.
struct LinkDiagnosisTests {
    private func link(
        _ name: String, mtu: UInt32, flags: UInt32 = 1, kind: String? = nil, alias: String? = nil,
    ) -> Link {
        var link = Link(
            index: 2, name: name, macAddress: nil, mtuBytes: mtu, flags: flags, operState: .up, kind: kind,
            alias: alias, group: 0, masterIndex: nil, lowerIndex: nil, peerNetNSID: nil)
        if kind == "vxlan" { link.vxlan = VXLANSettings(vni: 4096, port: 4789, local: nil, parentIndex: nil) }
        return link
    }

    private func names(_ links: [Link], hostMTUBytes: UInt32) -> [String] {
        var diagnosis = Diagnosis()
        diagnosis.checkMTU(of: links, hostMTUBytes: hostMTUBytes)
        return diagnosis.findings.compactMap { finding in
            finding.problem.split(separator: " ").first { word in links.contains { $0.name == word } }.map(String.init)
        }
    }

    @Test("links are held against what the daemon reckons with, and others' links and tunnels against nothing")
    func mtu() {
        let links = [
            link("eth0", mtu: 9000), link("tailscale0", mtu: 1280), link("docker0", mtu: 1500, kind: "bridge"),
            link("flannel.1", mtu: 8990, kind: "vxlan"), link("cali1", mtu: 8950, kind: "veth", alias: "apus:n:c:eth0"),
            link("vxlan.calico", mtu: 8950, kind: "vxlan", alias: "apus"),
            link("tunl0", mtu: 8980, kind: "ipip", alias: "apus"),
        ]
        #expect(names(links, hostMTUBytes: 9000).isEmpty)
        #expect(Set(names(links, hostMTUBytes: 8949)) == ["cali1", "vxlan.calico", "tunl0"])
    }
}
