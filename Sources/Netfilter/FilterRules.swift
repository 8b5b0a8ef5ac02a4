/// What the table `inet apus` holds: anti-spoofing always, address translation where a pool asks for it.
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

    /// The table in the words of nft(8), in the order in which nft lists it: sets, then chains.
    package var text: String {
        let lines = masquerade.sets + tunnels.sets + Self.reversePath + masquerade.chain + tunnels.chains
        return (["table inet apus {"] + lines.map { "\t" + $0 } + ["}", ""]).joined(separator: "\n")
    }

    /// `rpf` keeps every pod from sending with an address that is not its own, be it IPv4 or IPv6: a packet is let in by
    /// the link alone by which one to its source would go out. It does without the pods' addresses, so that it need not
    /// be written again when pods come and go, and does not depend on rp_filter, which others set to what they like.
    private static let reversePath = [
        "chain rpf {",
        "\ttype filter hook prerouting priority raw; policy accept;",
        "\tiifname \"cali*\" fib saddr . iif oif missing counter drop",
        "}",
    ]
}
