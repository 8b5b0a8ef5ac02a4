package import BGPWire
import NetTypes

/// A route as the rules of a filter see it.
struct RouteUnderFilter {
    let prefix: IPPrefix
    let attributes: PathAttributes
    /// Whether this node originates it.
    let isLocal: Bool
    /// The kind of the peer that it comes from or goes to.
    let peerKind: PeerRole.Kind
    /// The link that packets leave by; nil where it is not known.
    let link: String?

    /// The priority (`RoutePriority`).
    var priority: UInt32 {
        if isLocal, attributes.localPref == nil { return RoutePriority.ownRoutes }
        return RoutePriority.priority(of: attributes.localPref ?? ExportPolicy.defaultLocalPref)
    }
}

extension RouteFilter.Rule {
    /// Whether all that the rule asks for holds.
    func matches(_ route: RouteUnderFilter) -> Bool {
        if let network, !network.matches(route.prefix) { return false }
        if isRemoteOnly, route.isLocal { return false }
        if let peerKind, peerKind != route.peerKind { return false }
        if let link, !(route.link.map { Self.matches($0[...], pattern: link[...]) } ?? false) { return false }
        switch community {
        case .standard(let community)?: if !route.attributes.communities.contains(community) { return false }
        case .large(let community)?: if !route.attributes.largeCommunities.contains(community) { return false }
        case nil: break
        }
        if !asPathPrefix.isEmpty, !route.attributes.asPath.begins(with: asPathPrefix) { return false }
        if let priority, priority != route.priority { return false }
        return true
    }

    /// Whether the rule speaks of exactly this prefix: what is dangerous to take is taken on such a word alone.
    func names(_ prefix: IPPrefix) -> Bool {
        guard let network else { return false }
        return network.comparison == .equal && network.network == prefix
    }

    /// Whether a name matches a pattern in which `*` stands for any run of characters.
    package static func matches(_ name: Substring, pattern: Substring) -> Bool {
        var (name, pattern) = (name, pattern)
        // Where the last star stood: what follows is tried at every later place.
        var retry: (name: Substring, pattern: Substring)?
        while !name.isEmpty {
            if pattern.first == "*" {
                pattern.removeFirst()
                retry = (name, pattern)
            } else if pattern.first == name.first {
                pattern.removeFirst()
                name.removeFirst()
            } else if let last = retry {
                name = last.name.dropFirst()
                pattern = last.pattern
                retry = (name, pattern)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == "*" }
    }
}

extension RouteFilter.NetworkMatch {
    func matches(_ prefix: IPPrefix) -> Bool {
        switch comparison {
        case .equal: prefix == network && lengths.contains(prefix.length)
        case .notEqual: !(prefix == network && lengths.contains(prefix.length))
        case .inside: network.contains(prefix) && lengths.contains(prefix.length)
        case .notInside: !(network.contains(prefix) && lengths.contains(prefix.length))
        }
    }
}

extension [RouteFilter.Operation] {
    /// Carries the operations out, in their order.
    package func apply(to attributes: inout PathAttributes) {
        for operation in self {
            switch operation {
            case .addCommunity(.standard(let community)):
                if !attributes.communities.contains(community) { attributes.communities.append(community) }
            case .addCommunity(.large(let community)):
                if !attributes.largeCommunities.contains(community) { attributes.largeCommunities.append(community) }
            case .prependASPath(let numbers):
                for number in numbers.reversed() { attributes.asPath = attributes.asPath.prepending(number) }
            case .setPriority(let priority):
                attributes.localPref = RoutePriority.localPref(of: priority)
            }
        }
    }
}

extension ASPath {
    /// Whether the path begins with these ASes.
    fileprivate func begins(with numbers: [ASNumber]) -> Bool {
        guard case .sequence(let first)? = segments.first else { return false }
        return first.starts(with: numbers)
    }
}
