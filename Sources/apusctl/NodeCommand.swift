import ArgumentParser
import NetTypes
import NodeLink

/// `apusctl node …`
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Asks about this node, and drains it.",
        subcommands: [NodeStatusCommand.self, NodeDrainCommand.self, NodeUndrainCommand.self])

    @OptionGroup var daemon: DaemonOptions
}

/// `apusctl node status`
struct NodeStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the daemon and its BGP peers.")

    @ParentCommand var node: NodeCommand
    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let answer = try DaemonQuestion(root.daemon, node.daemon, daemon).status()
        try output.write(answer) { answer in
            NodeStatusText(try StatusAnswer(answer), now: SinceTime.now()).text
        }
    }
}

/// The status in calicoctl's form.
struct NodeStatusText {
    let text: String

    init(_ answer: StatusAnswer, now: Int64) {
        text =
            "Apus process is running.\n" + Self.unconfigured(answer.node)
            + answer.refusals.map { "Configuration refused: \($0)\n" }.joined()
            + answer.faults.map { "Fault: \($0.problem)\n  Remedy: \($0.remedy)\n" }.joined()
            + (answer.node.isDrained ? "The node is drained: it is the last choice of its peers.\n" : "")
            + answer.tunnels.compactMap(Self.offload).joined()
            + AddressFamily.allCases.map { Self.section($0, answer.peers, now: now) }.joined()
    }

    /// A tunnel device whose checksums the network card does not compute.
    private static func offload(_ tunnel: TunnelStatus) -> String? {
        guard !tunnel.isOffloadOn else { return nil }
        let reason =
            switch tunnel.finding {
            case .broken: "packets that rely on it do not arrive at \(tunnel.peer)"
            case .decided: "the configuration says so"
            case .unknown, .sound, .foundOff: "found off"
            }
        return "Checksum offload of \(tunnel.device) is off: \(reason).\n"
    }

    /// A node that has no AS has no configuration either.
    private static func unconfigured(_ node: NodeStatus) -> String {
        guard node.asNumber == ASNumber(0) else { return "" }
        return "Nothing is configured: no Node resource is named \(node.name), or none could be read; see its log.\n"
    }

    private static func section(_ family: AddressFamily, _ peers: [PeerStatus], now: Int64) -> String {
        let title = family == .ipv4 ? "IPv4" : "IPv6"
        let peers = peers.filter { $0.family == family }
        guard !peers.isEmpty else { return "\n\(title) BGP status\nNo \(title) peers found.\n" }
        let table = TextTable(
            header: ["PEER ADDRESS", "PEER TYPE", "STATE", "SINCE", "INFO"],
            rows: peers.map { peer in
                [peer.address, peer.type, peer.state, SinceTime.text(peer.since, now: now), peer.info]
            })
        return "\n\(title) BGP status\n" + table.framed
    }
}
