import ArgumentParser
import NetTypes
import NodeLink

/// `apusctl get KIND`
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Lists nodes, ippools, blocks or routes as the daemon knows them.")

    @ParentCommand var root: ApusCtl
    @Argument(help: "nodes (node, no), ippools (ippool, ipp), blocks (block) or routes (route).", transform: Self.kind)
    var kind: ListKind
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let answer = try DaemonQuestion(root.daemon, daemon).table(.list(kind))
        try output.write(answer) { answer in
            switch kind {
            case .nodes: try Self.table(of: NodeRow.self, answer)
            case .ippools: try Self.table(of: PoolRow.self, answer)
            case .blocks: try Self.table(of: BlockRow.self, answer)
            case .routes: try Self.table(of: RouteRow.self, answer)
            }
        }
    }

    private static func kind(_ word: String) throws -> ListKind {
        switch word.lowercased() {
        case "nodes", "node", "no": .nodes
        case "ippools", "ippool", "ipp": .ippools
        case "blocks", "block": .blocks
        case "routes", "route": .routes
        default: throw ValidationError("\"\(word)\" is no kind; write nodes, ippools, blocks or routes.")
        }
    }

    private static func table<Row: PrintedRow>(of type: Row.Type, _ answer: JSONObject) throws -> String {
        TextTable(header: Row.header, rows: try ListAnswer<Row>(answer).items.map(\.cells)).plain
    }
}

/// A row that `get` prints.
protocol PrintedRow: TableRow {
    /// The names of the columns.
    static var header: [String] { get }
    /// The cells, one for each column.
    var cells: [String] { get }
}

extension NodeRow: PrintedRow {
    static var header: [String] { ["NAME", "ASN", "IPV4", "IPV6"] }
    var cells: [String] { [name, asNumber.description, ipv4 ?? "", ipv6 ?? ""] }
}

extension PoolRow: PrintedRow {
    static var header: [String] { ["NAME", "CIDR", "MODE", "BLOCKSIZE", "NAT", "DISABLED", "SELECTOR"] }
    var cells: [String] {
        [
            name, cidr.description, mode, String(blockSize), String(natOutgoing), String(isDisabled),
            nodeSelector.isEmpty ? "all()" : nodeSelector,
        ]
    }
}

extension BlockRow: PrintedRow {
    static var header: [String] { ["CIDR", "NODE", "POOL", "ALLOCATED", "FREE", "ANNOUNCED", "CLOSED"] }
    var cells: [String] {
        [
            cidr.description, node, pool, allocated.map(String.init) ?? "-", free.map(String.init) ?? "-",
            String(isAnnounced), String(isClosed),
        ]
    }
}

extension RouteRow: PrintedRow {
    static var header: [String] { ["PREFIX", "NEXT HOP", "PEER", "AS PATH", "MODE", "DEV", "STATE"] }
    var cells: [String] { [prefix.description, nextHop, peer, asPath, mode, link, state] }
}
