import ArgumentParser
import CommandKit
import JSONKit
import NetTypes
import NodeLink

/// `apusctl get KIND [NAME]`
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Lists nodes, pools, blocks, routes and other resources as the daemon has them.",
        discussion: """
            Resources are those in force, which may be others than the files hold: while something in them is refused, \
            the last good ones stay. With -o yaml they are as they were read.
            """)

    /// How the answer is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
        case yaml
    }

    @ParentCommand var root: ApusCtl
    @Argument(
        help: ArgumentHelp("What is listed: \(ListedKind.names).", valueName: "kind"),
        transform: { word in
            guard let kind = ListedKind(word) else {
                throw ValidationError("\"\(word)\" is no kind\(ListedKind.advice(for: word))")
            }
            return kind
        })
    var kind: ListedKind
    @Argument(help: "The one that is meant: its name, of blocks and routes the network. (default: all)")
    var name: String?
    @OptionGroup var daemon: DaemonOptions
    @Option(name: [.short, .long], help: "How the answer is written.")
    var output: Format = .table

    func run() throws {
        let question = DaemonQuestion(root.daemon, daemon)
        if output == .yaml || kind.table == nil { return try writeResources(question) }
        switch kind.table {
        case .nodes: try write(NodeRow.self, question)
        case .ippools: try write(PoolRow.self, question)
        case .blocks: try write(BlockRow.self, question)
        case .routes: try write(RouteRow.self, question)
        case .resources, nil: break
        }
    }

    private func write<Row: PrintedRow>(_ type: Row.Type, _ question: DaemonQuestion) throws {
        var listing = Listing(header: Row.header, isJSON: output == .json)
        var choice = Choice(of: name)
        try question.table(.list(Row.kind)) { items throws(NodeLinkError) in
            for item in items {
                let cells = try Row(json: item).cells
                if choice.takes(cells[0]) { listing.append(item, cells: cells) }
            }
        }
        try choice.end(kind)
        try listing.write()
    }

    private func writeResources(_ question: DaemonQuestion) throws {
        guard let resource = kind.resource else {
            throw CommandFailure(description: "\(kind.word) are no resources: write -o json")
        }
        var choice = Choice(of: name)
        let rows = try question.rows(ResourceRow.self)
            .filter { $0.resourceKind == resource && choice.takes($0.name) }
        try choice.end(kind)
        switch output {
        case .json: try StandardOutput.write(Self.text(ListAnswer(rows).members))
        case .yaml: try StandardOutput.write(rows.map(\.yaml).joined(separator: "---\n"))
        case .table:
            let columns = kind.columns
            let table = TextTable(
                header: ["NAME"] + columns.map(\.name) + ["FILE"],
                rows: rows.map { row in [row.name] + columns.map { $0.cell(of: row) } + [row.file ?? ""] })
            try StandardOutput.write(table.plain)
        }
    }

    private static func text(_ answer: JSONObject) -> String {
        JSONText.serialize(.object(answer), pretty: true) + "\n"
    }
}

/// Those rows that were asked for: the one of a name, or all.
private struct Choice {
    private let name: String?
    private var isFound = false
    /// What others are called, for who has mistaken the name.
    private var others: [String] = []

    init(of name: String?) { self.name = name }

    /// Whether a row of this name is asked for.
    mutating func takes(_ other: String) -> Bool {
        guard let name else { return true }
        if other == name { isFound = true } else if others.count < 8 { others.append(other) }
        return other == name
    }

    /// All have been looked at.
    ///
    /// - Throws: `CommandFailure` when there is none of the name.
    func end(_ kind: ListedKind) throws(CommandFailure) {
        guard let name, !isFound else { return }
        throw CommandFailure(
            description: "\(kind.word): there is no \(name) in force; "
                + (others.isEmpty ? "there is none at all" : "there are \(others.joined(separator: ", "))"))
    }
}

/// A row that `get` prints.
protocol PrintedRow: TableRow {
    /// The names of the columns.
    static var header: [String] { get }
    /// The cells, one for each column; the first names the row.
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
