import LinuxOS
import TestKit
import Testing

@testable import NodeAgent

@Suite("Resources are tried")
struct ConfigurationCheckTests {
    private static let head = "apiVersion: projectcalico.org/v3\nkind: "
    private static let pool = head + "IPPool\nmetadata:\n  name: p\nspec:\n  cidr: 10.9.0.0/16\n"
    private static let nodes = ["a", "b"].map {
        head + "Node\nmetadata:\n  name: \($0)\nspec:\n  bgp:\n    ipv4Address: 192.0.2.\($0 == "a" ? 1 : 2)/24\n"
    }.joined(separator: "---\n")

    private func check(_ text: String, node: String? = nil) throws -> ConfigurationCheck {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.file("r.yaml"), with: Array(text.utf8))
        return ConfigurationCheck(path: directory.file("r.yaml"), node: node)
    }

    @Test("What is good is counted, and said for the node that is asked for")
    func accepted() throws {
        let check = try check(Self.pool + "---\n" + Self.nodes, node: "a")
        #expect(check.isAccepted && check.findings.isEmpty)
        #expect(check.inventory == "1 IPPool, 2 Node")
        #expect(check.node == ["AS 64512, 192.0.2.1/24", "IPPools: p", "peers: 1 node-to-node mesh"])
    }

    @Test("What the daemon would refuse is named, and the rest is counted")
    func refused() throws {
        let check = try check(Self.pool.replacing("/16", with: "/33") + "---\n" + Self.nodes)
        #expect(!check.isAccepted)
        #expect(check.findings.count == 1)
        #expect(check.findings.first?.hasPrefix("error: ") ?? false)
        #expect(check.findings.first?.contains("r.yaml:6: IPPool/p: spec.cidr: ") ?? false)
        #expect(check.inventory == "2 Node")
    }

    @Test("Nothing at all is an error, and so is a node without a resource", arguments: ["", nodes])
    func missing(text: String) throws {
        let check = try check(text, node: "c")
        #expect(!check.isAccepted)
        #expect(check.findings.contains { $0.contains("Node/c: there is no such resource") })
    }
}
