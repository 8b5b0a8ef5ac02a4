package import NetTypes

/// How a node finds its own address among those of its links: IP_AUTODETECTION_METHOD, as Calico has it.
package enum AddressDetection: Sendable, Hashable {
    /// The first valid address of the first link, without those that containers and tunnels have made; one that is alone
    /// in its network (/32, /128) only where none has another.
    case firstFound
    /// The first valid address of a link whose name matches one of the expressions, the first that has one counts.
    case interface([String])
    /// As `firstFound`, and without the links whose names match one of the expressions either.
    case skipInterface([String])
    /// The address from which packets to this one are sent.
    case canReach(IPAddress)
    /// The first valid address inside one of the networks.
    case cidr([IPPrefix])
    /// The address of the Node resource's InternalIP: nothing is detected.
    case internalIP

    /// Reads `first-found`, `interface=LIST`, `skip-interface=LIST`, `can-reach=ADDRESS`, `cidr=LIST` or
    /// `kubernetes-internal-ip`; the lists' elements are parted by commas. Nil for anything else, for an expression that
    /// cannot be read, and for an empty list.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "=", maxSplits: 1).map { String(Self.trimmed($0)) }
        let list = parts.count == 2 ? parts[1].split(separator: ",").map { String(Self.trimmed($0)) } : []
        switch (parts.first, list.isEmpty) {
        case ("first-found", true): self = .firstFound
        case ("kubernetes-internal-ip", true): self = .internalIP
        case ("interface", false) where Self.areReadable(list): self = .interface(list)
        case ("skip-interface", false) where Self.areReadable(list): self = .skipInterface(list)
        case ("can-reach", false):
            guard list.count == 1, let address = IPAddress(list[0]) else { return nil }
            self = .canReach(address)
        case ("cidr", false):
            let networks = list.compactMap { IPPrefix($0) }
            guard networks.count == list.count else { return nil }
            self = .cidr(networks)
        default: return nil
        }
    }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        var rest = Substring(text)
        while rest.first?.isWhitespace ?? false { rest.removeFirst() }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return rest
    }

    private static func areReadable(_ expressions: [String]) -> Bool {
        expressions.allSatisfy { (try? Regex($0)) != nil }
    }
}

extension AddressDetection {
    /// A link that may have the node's address.
    package struct Candidate: Sendable, Hashable {
        /// The link's name.
        package var link: String
        /// Whether it is up.
        package var isUp: Bool
        /// Its addresses, in the kernel's order.
        package var addresses: [CIDRAddress]

        /// Makes a candidate.
        package init(link: String, isUp: Bool, addresses: [CIDRAddress]) {
            self.link = link
            self.isUp = isUp
            self.addresses = addresses
        }
    }

    /// Chooses among the links, which come in the order of their indices; nil when none has a valid address.
    ///
    /// - Parameters:
    ///   - source: for `canReach`, the address the kernel would send from; it is chosen only if a link has it.
    ///   - former: what was chosen before. It stays as long as a link has it that may be chosen, be it down for a moment:
    ///     an address that somebody adds moves no node, though the kernel lists the newest one of IPv6 first.
    package func choose(
        _ family: AddressFamily, among candidates: [Candidate], source: IPAddress? = nil, former: CIDRAddress? = nil,
    ) -> CIDRAddress? {
        if let former {
            let holders = candidates.filter { $0.addresses.contains(former) }
                .map { Candidate(link: $0.link, isUp: true, addresses: [former]) }
            if let kept = choose(family, among: holders, source: source ?? former.address) { return kept }
        }
        let all = candidates.filter { $0.isUp && !Self.matches($0.link, Self.never) }
        let usual = all.filter { !Self.matches($0.link, Self.made) }
        switch self {
        case .firstFound: return Self.firstNetwork(family, usual)
        case .skipInterface(let expressions):
            return Self.firstNetwork(family, usual.filter { !Self.matches($0.link, expressions) })
        case .interface(let expressions):
            for expression in expressions {
                if let found = Self.first(family, all.filter { Self.matches($0.link, [expression]) }) { return found }
            }
            return nil
        case .cidr(let networks):
            return Self.first(family, all) { address in networks.contains { $0.contains(address) } }
        case .canReach: return Self.first(family, all) { $0 == source }
        case .internalIP: return nil
        }
    }

    /// The first address of the first link that has one.
    private static func first(
        _ family: AddressFamily, _ links: [Candidate], where isWanted: (IPAddress) -> Bool = { _ in true },
    ) -> CIDRAddress? {
        for link in links {
            if let found = best(family, of: link, where: isWanted) { return found }
        }
        return nil
    }

    /// As `first`, but an address that is alone in its network is chosen only where no link has one with others.
    private static func firstNetwork(_ family: AddressFamily, _ links: [Candidate]) -> CIDRAddress? {
        let found = links.compactMap { best(family, of: $0) { _ in true } }
        return found.first { $0.length < family.bitWidth } ?? found.first
    }

    /// An address that is alone in its network is a virtual one that moves between machines where the link has another,
    /// and the node's own where it has not: clouds and DHCPv6 give none with a network.
    private static func best(
        _ family: AddressFamily, of link: Candidate, where isWanted: (IPAddress) -> Bool,
    ) -> CIDRAddress? {
        let valid = link.addresses.filter {
            $0.address.family == family && isGlobal($0.address) && isWanted($0.address)
        }
        return valid.first { $0.length < family.bitWidth } ?? valid.first
    }

    private static func isGlobal(_ address: IPAddress) -> Bool {
        !local.contains { $0.contains(address) }
    }

    private static let local = [
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8",
    ].compactMap { IPPrefix($0) }

    /// What no node's address is on, whoever asks: Apus' own links and the loopback.
    private static let never = ["^cali", "^tunl", "^vxlan.calico$", "^vxlan-v6.calico$", "^lo$"]
    /// What container runtimes, virtual machines and other networks make.
    private static let made = [
        "^docker", "^cbr", "^dummy", "^virbr", "^lxcbr", "^lxdbr", "^veth", "^br-", "^podman", "^flannel", "^cilium",
        "^kube-ipvs", "^kube-bridge", "^cni", "^vxlan", "^geneve", "^gre", "^sit", "^ip6tnl", "^ip_vti", "^tun", "^tap",
        "^wireguard.cali", "^wg", "^nodelocaldns", "^lxc", "^weave", "^kilo",
    ]

    private static func matches(_ name: String, _ expressions: [String]) -> Bool {
        expressions.contains { expression in
            (try? Regex(expression)).map { name.firstMatch(of: $0) != nil } ?? false
        }
    }
}

extension AddressDetection: CustomStringConvertible {
    /// The method as it is written in the environment.
    package var description: String {
        switch self {
        case .firstFound: "first-found"
        case .interface(let expressions): "interface=" + expressions.joined(separator: ",")
        case .skipInterface(let expressions): "skip-interface=" + expressions.joined(separator: ",")
        case .canReach(let address): "can-reach=\(address)"
        case .cidr(let networks): "cidr=" + networks.map(\.description).joined(separator: ",")
        case .internalIP: "kubernetes-internal-ip"
        }
    }
}
