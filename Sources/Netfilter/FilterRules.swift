/// What Apus' two tables hold: anti-spoofing always, address translation and the tunnels' guard where they are needed.
package struct FilterRules: Sendable, Equatable {
    /// The translation of what leaves the pools.
    package var masquerade: Masquerade
    /// Who may send what is unwrapped here.
    package var tunnels: TunnelGuard

    /// Makes the rules; without an argument they are those of a node of which nothing is known yet.
    package init(masquerade: Masquerade = Masquerade(), tunnels: TunnelGuard = TunnelGuard()) {
        self.masquerade = masquerade
        self.tunnels = tunnels
    }

    /// The tables in the words of nft(8), each in the order in which nft lists it: sets, then chains.
    package var text: String {
        let both = masquerade.sets + tunnels.sets + masquerade.chain + tunnels.chains
        return zip(FilterTable.names, [both, Self.reversePath]).map { name, lines in
            (["table \(name) {"] + lines.map { "\t" + $0 } + ["}", ""]).joined(separator: "\n")
        }.joined()
    }

    /// `rpf` keeps every pod from sending with an IPv6 address that is not its own: a packet is let in by the link alone
    /// by which one to its source would go out. It does without the pods' addresses, so that it need not be written
    /// again when pods come and go. For IPv4 rp_filter does it, in the look-up of the route itself: a chain of `inet`
    /// would cost every IPv4 packet through the node its hook.
    private static let reversePath = [
        "chain rpf {",
        "\ttype filter hook prerouting priority raw; policy accept;",
        "\tiifname \"cali*\" fib saddr . iif oif missing counter drop",
        "}",
    ]
}
