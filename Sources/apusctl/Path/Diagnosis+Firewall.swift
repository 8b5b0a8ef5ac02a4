import NetTypes
import Netlink

// Another program's firewall that forwards nothing unless it is told to.
extension Diagnosis {
    mutating func checkForwardChains(_ chains: [ForwardChain], pools: [IPPrefix]) {
        for chain in chains {
            let own = pools.filter { chain.family.includes($0.family) }
            // firewalld rejects in chains that hang below as well.
            guard !own.isEmpty, chain.discardsTheRest || chain.isFirewalld else { continue }
            guard !chain.admits([Array("cali".utf8)] + own.map(\.significantOctets)) else { continue }
            add(
                "chain \(chain.name) of the nftables table \(chain.family.rawValue) \(chain.table) drops what it has no "
                    + "rule for, and it has none for pods: their packets are not forwarded",
                chain.remedy(for: own))
        }
    }
}

extension ForwardChain {
    fileprivate var isFirewalld: Bool { table == "firewalld" && name.hasPrefix("filter_") }

    /// What lets the pods' packets pass, in the words of the program whose chain it is.
    fileprivate func remedy(for pools: [IPPrefix]) -> String {
        if isFirewalld {
            let sources = pools.map { "firewall-cmd --permanent --zone=trusted --add-source=\($0)" }
            return (sources + ["firewall-cmd --reload"]).joined(separator: "; ")
        }
        if chains.contains("ufw-user-forward") || chains.contains("ufw6-user-forward") {
            return pools.flatMap { ["ufw route allow from \($0)", "ufw route allow to \($0)"] }.joined(separator: "; ")
        }
        guard family != .inet, table == "filter", name == "FORWARD" else {
            return ["iifname", "oifname"]
                .map { "nft insert rule \(family.rawValue) \(table) \(name) \($0) '\"cali*\"' accept" }
                .joined(separator: "; ") + ", and where the table is written from, so that it lasts"
        }
        let program = family == .ip ? "iptables" : "ip6tables"
        let place = chains.contains("DOCKER-USER") ? "DOCKER-USER" : name
        return ["-i", "-o"].map { "\(program) -I \(place) \($0) cali+ -j ACCEPT" }.joined(separator: "; ")
            + ", at every boot"
    }
}

extension IPPrefix {
    /// The octets of the network's address that its length reaches into.
    fileprivate var significantOctets: [UInt8] { Array(address.bytes.prefix((Int(length) + 7) / 8)) }
}
