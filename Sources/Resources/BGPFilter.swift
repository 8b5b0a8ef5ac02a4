package import NetTypes

/// Rules for the routes to and from a peer (`kind: BGPFilter`); BGPPeers name the filters that they use.
///
/// The rules of a peer's filters are asked in order, and the first that matches decides.
package struct BGPFilter: Sendable, Hashable {
    /// metadata.name.
    package var name: String
    /// What is sent, IPv4.
    package var exportV4: [Rule] = []
    /// What is let in, IPv4.
    package var importV4: [Rule] = []
    /// What is sent, IPv6.
    package var exportV6: [Rule] = []
    /// What is let in, IPv6.
    package var importV6: [Rule] = []

    /// Makes a filter without rules.
    package init(name: String) {
        self.name = name
    }

    /// One rule. What is nil or empty matches every route.
    package struct Rule: Sendable, Hashable {
        /// `cidr`, `matchOperator` and `prefixLength`.
        package var network: NetworkMatch?
        /// `source: RemotePeers`: routes of this node do not match.
        package var isRemoteOnly = false
        /// `interface`: a name, in which `*` stands for any run of characters.
        package var interface: String?
        /// `peerType`.
        package var peerType: PeerType?
        /// `communities.values`, of which there is one.
        package var community: BGPCommunity?
        /// `asPathPrefix`: what the AS_PATH begins with.
        package var asPathPrefix: [ASNumber] = []
        /// `priority`: 1 to 2147483646.
        package var priority: UInt32?
        /// `action`.
        package var action: Action
        /// `operations`, of a rule that accepts.
        package var operations: [Operation] = []
    }

    /// A network and how prefixes compare with it.
    package struct NetworkMatch: Sendable, Hashable {
        /// `cidr`.
        package var cidr: IPPrefix
        /// `matchOperator`.
        package var matchOperator: MatchOperator
        /// `prefixLength`: without it, from the network's own length on.
        package var lengths: ClosedRange<UInt8>
    }

    /// `matchOperator`.
    package enum MatchOperator: String, Sendable, Hashable, CaseIterable {
        case equal = "Equal"
        case notEqual = "NotEqual"
        case inside = "In"
        case notInside = "NotIn"
    }

    /// `peerType`.
    package enum PeerType: String, Sendable, Hashable, CaseIterable {
        case external = "eBGP"
        case `internal` = "iBGP"
    }

    /// `action`.
    package enum Action: String, Sendable, Hashable, CaseIterable {
        case accept = "Accept"
        case reject = "Reject"
    }

    /// One of `operations`.
    package enum Operation: Sendable, Hashable {
        case addCommunity(BGPCommunity)
        case prependASPath([ASNumber])
        case setPriority(UInt32)
    }
}

/// A community as resources write it: `64512:7`, or the large one `64512:1:2`.
package enum BGPCommunity: Sendable, Hashable {
    case standard(UInt16, UInt16)
    case large(UInt32, UInt32, UInt32)

    /// Parses either form in decimal.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        let halves = parts.compactMap { UInt16($0) }
        let numbers = parts.compactMap { UInt32($0) }
        if parts.count == 2, halves.count == 2 {
            self = .standard(halves[0], halves[1])
        } else if parts.count == 3, numbers.count == 3 {
            self = .large(numbers[0], numbers[1], numbers[2])
        } else {
            return nil
        }
    }
}
