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
        #expect(Set(names(links, hostMTUBytes: 8949)) == ["vxlan.calico", "tunl0"])
    }

    @Test("pods that have outlived a larger MTU are a note, one for all of them")
    func podMTU() {
        let links = ["cali1", "cali2", "cali3"].map { name in
            link(name, mtu: 1500, kind: "veth", alias: "apus:n:\(name):eth0")
        }
        var diagnosis = Diagnosis()
        diagnosis.checkMTU(of: links, hostMTUBytes: 1400, podMTUBytes: 1350)
        #expect(diagnosis.findings.isEmpty)
        #expect(diagnosis.notes.count == 1)
        let note = diagnosis.notes.first ?? ""
        #expect(note.hasPrefix("MTU 1500 of cali1, and of 2 more pods, is larger than the 1400 of the node's link"))
        #expect(note.contains("Pods made anew have 1350, or what mtu of the CNI configuration says"))
        diagnosis = Diagnosis()
        diagnosis.checkMTU(of: links, hostMTUBytes: 1500, podMTUBytes: 1450)
        #expect(diagnosis.notes.isEmpty)
    }

    @Test(
        "a pool's device is what the daemon says; without its word that of the mode, or the one that is there",
        arguments: [
            ("crosssubnet", .ipv4, "tunl0", ["tunl0"]), ("bgp", .ipv4, "", []), ("ipip", .ipv4, nil, ["tunl0"]),
            ("vxlan", .ipv4, nil, ["vxlan.calico"]), ("vxlan", .ipv6, nil, ["vxlan-v6.calico"]),
            ("crosssubnet", .ipv4, nil, ["vxlan.calico"]), ("crosssubnet", .ipv6, nil, []), ("bgp", .ipv4, nil, []),
        ] as [(String, AddressFamily, String?, [String])])
    func devices(mode: String, family: AddressFamily, told: String?, expected: [String]) {
        let links = [
            link("tunl0", mtu: 1480, kind: "ipip"), link("vxlan.calico", mtu: 1450, kind: "vxlan", alias: "apus"),
        ]
        #expect(Diagnosis.devices(mode, family, told, links) == expected)
    }

    @Test("a pod that goes, or comes back, while it is looked at is not cut off")
    func podsInMotion() {
        func isCutOff(_ reached: [Bool], isThere: Bool) -> Bool {
            var reached = reached
            return Diagnosis.isCutOff(isReached: { reached.removeFirst() }, isThere: { isThere })
        }
        #expect(!isCutOff([true], isThere: true))
        #expect(!isCutOff([false], isThere: false))
        #expect(!isCutOff([false, true], isThere: true))
        #expect(isCutOff([false, false], isThere: true))
    }

    @Test("the setting that turns forwarding on is that of the family")
    func forwardingSetting() {
        #expect(AddressFamily.ipv4.forwardingSetting == "net.ipv4.ip_forward")
        #expect(AddressFamily.ipv6.forwardingSetting == "net.ipv6.conf.all.forwarding")
    }

    @Test("a device that is missing, down or somebody else's is named")
    func missingDevices() {
        func problems(_ wanted: Set<String>, _ links: [Link]) -> [String] {
            var diagnosis = Diagnosis()
            diagnosis.checkDevices(wanted, links)
            return diagnosis.findings.map(\.problem)
        }
        #expect(problems(["tunl0"], []) == ["there is no IP in IP device tunl0: the kernel module ipip is missing"])
        #expect(problems(["vxlan.calico"], []) == ["there is no VXLAN device vxlan.calico"])
        let down = link("tunl0", mtu: 1480, flags: 0, kind: "ipip")
        #expect(problems(["tunl0"], [down]) == ["tunl0 is down"])
        let other = link("vxlan.calico", mtu: 1500, kind: "dummy")
        #expect(problems(["vxlan.calico"], [other]) == ["vxlan.calico is no tunnel, but another's link"])
        #expect(problems([], [down, other]).isEmpty)
    }
}
