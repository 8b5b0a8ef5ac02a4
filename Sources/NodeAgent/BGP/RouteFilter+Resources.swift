import BGPTable
import BGPWire
import NetTypes
import Resources

extension RouteFilter.Rule {
    /// What a rule of a BGPFilter means to the table.
    init(_ rule: BGPFilter.Rule) {
        self.init(rule.action == .reject ? .reject : .accept(rule.operations.map(RouteFilter.Operation.init)))
        network = rule.network.map { match in
            RouteFilter.NetworkMatch(Self.comparison(match.matchOperator), match.cidr, lengths: match.lengths)
        }
        isRemoteOnly = rule.isRemoteOnly
        link = rule.interface
        peerKind = rule.peerType.map { $0 == .external ? .eBGP : .iBGP }
        community = rule.community.map(RouteFilter.AnyCommunity.init)
        asPathPrefix = rule.asPathPrefix
        priority = rule.priority
    }

    private static func comparison(_ word: BGPFilter.MatchOperator) -> RouteFilter.NetworkMatch.Comparison {
        switch word {
        case .equal: .equal
        case .notEqual: .notEqual
        case .inside: .inside
        case .notInside: .notInside
        }
    }
}

extension RouteFilter.Operation {
    fileprivate init(_ operation: BGPFilter.Operation) {
        switch operation {
        case .addCommunity(let community): self = .addCommunity(RouteFilter.AnyCommunity(community))
        case .prependASPath(let numbers): self = .prependASPath(numbers)
        case .setPriority(let priority): self = .setPriority(priority)
        }
    }
}

extension RouteFilter.AnyCommunity {
    fileprivate init(_ community: BGPCommunity) {
        switch community {
        case .standard(let high, let low): self = .standard(Community(high, low))
        case .large(let first, let second, let third): self = .large(LargeCommunity(first, second, third))
        }
    }
}

extension PathAttributes {
    /// Adds to those of an own route the communities that are configured for the networks around it.
    mutating func addCommunities(for prefix: IPPrefix, _ advertisements: [PrefixAdvertisement]) {
        for advertisement in advertisements where advertisement.cidr.contains(prefix) {
            let operations = advertisement.communities.map {
                RouteFilter.Operation.addCommunity(RouteFilter.AnyCommunity($0))
            }
            operations.apply(to: &self)
        }
    }
}
