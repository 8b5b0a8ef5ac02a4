import ArgumentParser
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

/// What every subcommand of `bgp` does: it asks, and writes rows or the daemon's own words.
private func showRoutes(_ question: BGPQuestion, _ daemon: DaemonQuestion, _ output: OutputOptions) throws {
    let answer = try daemon.ask(.bgp(question))
    try output.write(answer) { answer in
        let rows = try BGPAnswer<BGPRouteRow>(answer)
        let table = TextTable(header: BGPRouteRow.header, rows: rows.items.map(\.cells)).plain
        return rows.more > 0 ? table + "(and \(rows.more) more)\n" : table
    }
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
        let answer = try DaemonQuestion(root.daemon, bgp.daemon, daemon).ask(.bgp(.peers))
        try output.write(answer) { answer in
            TextTable(
                header: BGPPeerRow.header,
                rows: try BGPAnswer<BGPPeerRow>(answer).items.map { $0.cells(now: SinceTime.now()) }
            ).plain
        }
    }
}

/// `apusctl bgp routes`
struct BGPRoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes",
        abstract: "Lists every route of the table: > chosen, = used too, s kept from a lost session, x refused.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws { try showRoutes(.routes, DaemonQuestion(root.daemon, bgp.daemon, daemon), output) }
}

/// `apusctl bgp received PEER`
struct BGPReceivedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "received", abstract: "Lists what a peer has sent, refused routes included.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The peer's address.", transform: peerAddress) var peer: IPAddress
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws { try showRoutes(.received(peer), DaemonQuestion(root.daemon, bgp.daemon, daemon), output) }
}

/// `apusctl bgp advertised PEER`
struct BGPAdvertisedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advertised", abstract: "Lists what a peer has been told.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The peer's address.", transform: peerAddress) var peer: IPAddress
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws { try showRoutes(.advertised(peer), DaemonQuestion(root.daemon, bgp.daemon, daemon), output) }
}

/// `apusctl bgp why PREFIX`
struct BGPWhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says why a prefix is, or is not, in the table, chosen, exported, in the kernel.")

    @ParentCommand var bgp: BGPCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The prefix, such as 10.244.1.0/26.", transform: Self.prefix) var prefix: IPPrefix
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let answer = try DaemonQuestion(root.daemon, bgp.daemon, daemon).ask(.bgp(.why(prefix)))
        try output.write(answer) { answer in
            try ExplanationAnswer(answer).lines.map { $0 + "\n" }.joined()
        }
    }

    private static func prefix(_ text: String) throws -> IPPrefix {
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
        try OutputOptions.write(
            out ? "The routes for \(peer) are sent again.\n" : "\(peer) has been asked for its routes.\n")
    }
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
