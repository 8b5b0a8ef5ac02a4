import ArgumentParser
import CommandKit
import NetTypes
import NodeLink

/// `apusctl bgp …`
struct BGPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bgp", abstract: "Asks the BGP speaker of this node.",
        subcommands: [
            BGPPeersCommand.self, BGPRoutesCommand.self, BGPReceivedCommand.self, BGPAdvertisedCommand.self,
            BGPWhyCommand.self, BGPRefreshCommand.self,
        ])

    @OptionGroup var daemon: DaemonOptions
}

/// Reads a whole table and writes it, the rows as `cells` has them or as JSON.
private func show<Row: BGPRow>(
    _ view: BGPView, of daemon: DaemonQuestion, _ output: OutputOptions, header: [String],
    cells: (Row) -> [String],
) throws {
    var listing = Listing(header: header, isJSON: output.output == .json)
    try daemon.table(.bgp(view)) { items throws(NodeLinkError) in
        for item in items {
            let row = try Row(json: item)
            listing.append(item, cells: cells(row))
        }
    }
    // Nothing is left out; who reads the JSON may look for it.
    try listing.write(with: ["more": .int(0)])
}

private func showRoutes(_ view: BGPView, of daemon: DaemonQuestion, _ output: OutputOptions) throws {
    try show(view, of: daemon, output, header: BGPRouteRow.header) { (row: BGPRouteRow) in row.cells }
}

/// `apusctl bgp peers`
struct BGPPeersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peers", abstract: "Lists the sessions with their numbers and last errors.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let now = SinceTime.now()
        try show(
            .peers, of: DaemonQuestion(root.daemon, bgp.daemon, daemon), output, header: BGPPeerRow.header
        ) { (row: BGPPeerRow) in row.cells(now: now) }
    }
}

/// `apusctl bgp routes [PREFIX]`
struct BGPRoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes",
        abstract: "Lists every route of the table: > chosen, = used too, s kept from a lost session, x refused.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: withinHelp, transform: prefixArgument) var prefix: IPPrefix?
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try showRoutes(.routes(within: prefix), of: DaemonQuestion(root.daemon, bgp.daemon, daemon), output)
    }
}

/// `apusctl bgp received PEER [PREFIX]`
struct BGPReceivedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "received", abstract: "Lists what a peer has sent, refused routes included.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The peer's address.", transform: peerAddress) var peer: IPAddress
    @Argument(help: withinHelp, transform: prefixArgument) var prefix: IPPrefix?
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try showRoutes(.received(peer, within: prefix), of: DaemonQuestion(root.daemon, bgp.daemon, daemon), output)
    }
}

/// `apusctl bgp advertised PEER [PREFIX]`
struct BGPAdvertisedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advertised", abstract: "Lists what a peer has been told.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The peer's address.", transform: peerAddress) var peer: IPAddress
    @Argument(help: withinHelp, transform: prefixArgument) var prefix: IPPrefix?
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try showRoutes(.advertised(peer, within: prefix), of: DaemonQuestion(root.daemon, bgp.daemon, daemon), output)
    }
}

/// `apusctl bgp why PREFIX`
struct BGPWhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says why a prefix is, or is not, in the table, chosen, exported, in the kernel.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The prefix, such as 10.244.1.0/26.", transform: prefixArgument) var prefix: IPPrefix
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let answer = try DaemonQuestion(root.daemon, bgp.daemon, daemon).ask(.bgp(.why(prefix)))
        try output.write(answer) { answer in
            try ExplanationAnswer(answer).lines.map { $0 + "\n" }.joined()
        }
    }
}

/// `apusctl bgp refresh PEER`
struct BGPRefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Asks a peer to send its routes again (RFC 2918); the session stays up.",
        discussion: "Routes that the peer no longer has go when it has ended, where both know RFC 7313.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The peer's address.", transform: peerAddress) var peer: IPAddress
    @Flag(help: "Sends this node's routes to the peer again instead.") var out = false
    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let refresh = PeerRefresh(peer: peer, direction: out ? .outgoing : .incoming)
        _ = try DaemonQuestion(root.daemon, bgp.daemon, daemon).ask(.refresh(refresh))
        try StandardOutput.write(
            out ? "The routes for \(peer) are sent again.\n" : "\(peer) has been asked for its routes.\n")
    }
}

private let withinHelp: ArgumentHelp = "Lists only what lies within this prefix, such as 10.244.0.0/16."

private func prefixArgument(_ text: String) throws -> IPPrefix {
    if let prefix = IPPrefix(text) { return prefix }
    if let address = CIDRAddress(text) {
        throw ValidationError("\"\(text)\" has bits set beyond the prefix length; write \(address.network).")
    }
    if IPAddress(text) != nil {
        throw ValidationError(
            "\"\(text)\" is an address; write the prefix that holds it, as apusctl get routes has it.")
    }
    throw ValidationError("\"\(text)\" is no prefix such as 10.244.1.0/26.")
}

private func peerAddress(_ text: String) throws -> IPAddress {
    guard let address = IPAddress(text) else { throw ValidationError("\"\(text)\" is no address.") }
    return address
}

extension BGPPeerRow {
    static var header: [String] {
        [
            "PEER", "AS", "STATE", "SINCE", "RECEIVED", "REFUSED", "STALE", "ADVERTISED", "UPS", "BFD", "AGREED",
            "LAST ERROR",
        ]
    }

    func cells(now: Int64) -> [String] {
        [
            address, asNumber.description, state, since == 0 ? "" : SinceTime.text(since, now: now), String(received),
            String(refused), String(stale), String(advertised), String(established), bfd, agreed, lastError,
        ]
    }
}

extension BGPRouteRow {
    static var header: [String] {
        ["", "PREFIX", "NEXT HOP", "PEER", "PREF", "MED", "AS PATH", "COMMUNITIES", "PATH ID", "REASON"]
    }

    var cells: [String] {
        [
            flags, prefix.description, nextHop, peer, localPref.map { String($0) } ?? "", med.map { String($0) } ?? "",
            asPath, communities, pathID.map { String($0) } ?? "", reason,
        ]
    }
}
