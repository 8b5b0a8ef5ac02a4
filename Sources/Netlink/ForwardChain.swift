package import NetTypes

/// A base chain of nftables at the hook `forward`, with what its rules come to for who forwards through it. iptables-nft
/// has its chains here, too; those of the older iptables (`iptables-legacy`) are not.
package struct ForwardChain: Sendable, Hashable {
    /// The families of packets that a table sees, by their names in nft(8).
    package enum Family: String, Sendable, Hashable {
        /// One family, or both.
        case ip, ip6, inet

        /// Whether it sees packets of the family.
        package func includes(_ family: AddressFamily) -> Bool {
            self == .inet || self == (family == .ipv4 ? .ip : .ip6)
        }
    }

    /// A rule, as far as it is understood.
    package struct Rule: Sendable, Hashable {
        /// What becomes of a packet that the rule is for.
        package enum Verdict: Sendable, Hashable {
            /// It goes on.
            case accept
            /// It is dropped, with an answer or without.
            case discard
            /// Another chain is asked.
            case chain(String)
            /// What a map of verdicts says.
            case map
        }

        /// The chain the rule is in.
        package var chain: String
        /// What it says; nil where it says nothing of that.
        package var verdict: Verdict?
        /// Whether it is for every packet.
        package var isUnconditional: Bool
        /// What fields of the packet must be equal to, in the octets of the kernel.
        package var equals: [[UInt8]]
        /// Whether it chooses packets by links or addresses in a way that is not looked into: a set or a map of them, or a
        /// range.
        package var isVague: Bool
        /// Whether it chooses packets by what their link or address is not.
        package var excludes: Bool

        /// Makes a rule.
        package init(
            chain: String, verdict: Verdict?, isUnconditional: Bool, equals: [[UInt8]] = [], isVague: Bool = false,
            excludes: Bool = false,
        ) {
            self.chain = chain
            self.verdict = verdict
            self.isUnconditional = isUnconditional
            self.equals = equals
            self.isVague = isVague
            self.excludes = excludes
        }
    }

    /// The table's family.
    package let family: Family
    /// The table's name.
    package let table: String
    /// The chain's name.
    package let name: String
    /// All chains of the table.
    package let chains: Set<String>
    /// The rules of those chains that packets come through.
    package let rules: [Rule]
    /// Whether a packet that no rule is for is dropped: by the policy, or by a rule for every packet.
    package let discardsTheRest: Bool

    /// Makes a chain of what its table has.
    ///
    /// - Parameter rules: those of the whole table, in order.
    package init(
        family: Family, table: String, name: String, policyDrops: Bool, chains: Set<String>, rules: [Rule],
    ) {
        self.family = family
        self.table = table
        self.name = name
        self.chains = chains
        let byChain = Dictionary(grouping: rules, by: \.chain)
        var reached = [name]
        var asked = 0
        while asked < reached.count {
            for case .chain(let next)? in byChain[reached[asked], default: []].map(\.verdict)
            where !reached.contains(next) {
                reached.append(next)
            }
            asked += 1
        }
        self.rules = reached.flatMap { byChain[$0, default: []] }
        discardsTheRest =
            policyDrops || byChain[name, default: []].contains { $0.isUnconditional && $0.verdict == .discard }
    }

    /// Whether a rule lets packets pass that one of `values` describes: a field is equal to a value, or to its beginning.
    /// What a vague rule chooses may be those, and what is not some others if nothing else is said of it.
    package func admits(_ values: [[UInt8]]) -> Bool {
        rules.contains { rule in
            guard let verdict = rule.verdict, verdict != .discard else { return false }
            if rule.isUnconditional { return verdict == .accept }
            if rule.isVague || rule.excludes && rule.equals.isEmpty { return true }
            return rule.equals.contains { field in
                !field.isEmpty && values.contains { $0.starts(with: field) || field.starts(with: $0) }
            }
        }
    }
}
