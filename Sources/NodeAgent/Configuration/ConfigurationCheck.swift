import Resources

/// Reads resources as the daemon would and says what it would make of them; nothing is changed and no daemon is asked.
package struct ConfigurationCheck: Sendable {
    /// What was found, a line each, in the order of files and lines: `error: pools.yaml:7: IPPool/a: spec.cidr: REASON`.
    package let findings: [String]
    /// How many resources of each kind would be in force: `1 IPPool, 2 Node`.
    package let inventory: String
    /// What it comes to for the node that was asked for, a line each.
    package let node: [String]
    /// Whether the daemon would refuse nothing.
    package let isAccepted: Bool

    /// Reads.
    ///
    /// - Parameters:
    ///   - path: a directory of resources, or one multi-document file.
    ///   - node: whose view is wanted; nil for none.
    package init(path: String, node: String?) {
        let decoded = ConfigurationReader(path: path).read()
        var findings = decoded.diagnostics.map { "\(Self.word(for: $0.severity)): \($0)" }
        var isAccepted = decoded.isWhole
        let names = decoded.configuration.identities
        if names.isEmpty, isAccepted {
            findings.append("error: \(path): no resource is in it")
            isAccepted = false
        }
        var lines: [String] = []
        if let node {
            if let view = decoded.configuration.view(of: node) {
                findings += view.warnings.map { "warning: \($0)" }
                lines = Self.lines(about: view)
            } else {
                let others = decoded.configuration.nodes.prefix(8).map(\.name).joined(separator: ", ")
                let there = others.isEmpty ? "there is none at all" : "there are \(others)"
                findings.append("error: \(path): Node/\(node): there is no such resource; \(there)")
                isAccepted = false
            }
        }
        self.findings = findings
        self.isAccepted = isAccepted
        self.node = lines
        inventory = Self.inventory(of: names)
    }

    private static func word(for severity: Diagnostic.Severity) -> String {
        switch severity {
        case .note, .ineffective: "note"
        case .warning: "warning"
        case .error: "error"
        }
    }

    private static func inventory(of names: [String]) -> String {
        let counts = Dictionary(grouping: names) { $0.prefix { $0 != "/" } }.mapValues(\.count)
        guard !counts.isEmpty else { return "nothing" }
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private static func lines(about view: NodeView) -> [String] {
        let found = [view.node.ipv4, view.node.ipv6].compactMap { $0?.description }
        let addresses =
            found.isEmpty ? "no address in the files: the daemon looks for one" : found.joined(separator: ", ")
        let pools = view.pools.filter { !$0.isDisabled && $0.nodeSelector.matches(view.node.labels) }.map(\.name)
        let noPool =
            view.pools.isEmpty ? "none in the files: the daemon has its default pools" : "none that selects the node"
        var lines = [
            "AS \(view.asNumber), \(addresses)",
            "IPPools: " + (pools.isEmpty ? noPool : pools.joined(separator: ", ")),
        ]
        let kinds = Dictionary(grouping: view.peers, by: \.kind).mapValues(\.count)
        let peers = kinds.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        lines.append("peers: \(peers.isEmpty ? "none" : peers.joined(separator: ", "))")
        return lines
    }
}
