import NetTypes

/// A step of the decision process, in the order of application.
package enum DecisionStep: UInt8, Sendable, Hashable, CaseIterable, Comparable, CustomStringConvertible {
    /// A route of this node beats every learned one.
    case locallyOriginated
    /// RFC 9494 §4.2: a route kept beyond its session's restart time loses to any other.
    case longLivedStale
    /// RFC 4271 §9.1.1: the degree of preference; 100 for a route without LOCAL_PREF.
    case localPref
    /// RFC 4271 §9.1.2.2 (a): the shorter AS_PATH; an AS_SET counts as one.
    case asPathLength
    /// (b): IGP before EGP before INCOMPLETE.
    case origin
    /// (c): the lower MED, among routes from one neighbouring AS; none counts as 0.
    case med
    /// (d): eBGP before iBGP.
    case external
    /// (e): the lower interior cost of the next hop.
    case interiorCost
    /// (f): the lower BGP identifier; ORIGINATOR_ID stands for it where present (RFC 4456 §9).
    case bgpIdentifier
    /// RFC 4456 §9: the shorter CLUSTER_LIST.
    case clusterListLength
    /// (g): the lower address of the peer.
    case peerAddress
    /// Among the paths of one peer (RFC 7911): the lower identifier.
    case pathIdentifier

    /// What the winner of the step has.
    package var description: String {
        switch self {
        case .locallyOriginated: "originated by this node"
        case .longLivedStale: "not kept long beyond its session"
        case .localPref: "higher LOCAL_PREF"
        case .asPathLength: "shorter AS_PATH"
        case .origin: "lower ORIGIN"
        case .med: "lower MED from the same neighbouring AS"
        case .external: "eBGP over iBGP"
        case .interiorCost: "lower interior cost"
        case .bgpIdentifier: "lower BGP identifier"
        case .clusterListLength: "shorter CLUSTER_LIST"
        case .peerAddress: "lower peer address"
        case .pathIdentifier: "lower path identifier"
        }
    }

    package static func < (left: DecisionStep, right: DecisionStep) -> Bool { left.rawValue < right.rawValue }
}

/// What the decision process looks at in an attribute set; taken out once, when the set is interned.
struct DecisionFields: Sendable, Hashable {
    var localPref: UInt32 = 100
    var asPathLength: UInt32 = 0
    var med: UInt32 = 0
    /// The leftmost AS; 0 stands for the local AS, which is what an empty path means (RFC 4271 §9.1.2.2).
    var neighbourAS: UInt32 = 0
    var interiorCost: UInt32 = 0
    /// ORIGINATOR_ID; 0 when absent.
    var originatorID: UInt32 = 0
    var clusterListLength: UInt32 = 0
    var origin: UInt8 = 0
    /// Whether LLGR_STALE is among the communities.
    var isLongLivedStale = false
}

/// One route as the decision process sees it: integers only.
struct RouteRank: Sendable, Hashable {
    var fields: DecisionFields
    var isLocal: Bool
    var isExternal: Bool
    /// The identifier of the peer that sent the route; 0 for a route of this node.
    var bgpID: UInt32
    /// nil for a route of this node.
    var peerAddress: IPAddress?
    /// The path identifier that the route came with; 0 for none.
    var pathID: UInt32 = 0

    /// The identifier that step (f) compares.
    var identifier: UInt32 { fields.originatorID == 0 ? bgpID : fields.originatorID }
}

/// The choice among the eligible routes to one prefix (RFC 4271 §9.1.2.2 with RFC 4456 §9).
///
/// The result does not depend on the order of arrival. Step (c) makes "better" no order between pairs: it compares
/// only routes of one neighbouring AS, so `best` removes what it rules out from the whole set, as the RFC says,
/// instead of running a tournament.
enum DecisionProcess {
    /// How two routes stand at one step: -1 when `left` is better, 1 when `right` is, 0 when the step does not tell.
    static func compare(_ left: RouteRank, _ right: RouteRank, at step: DecisionStep) -> Int {
        func lower<Value: Comparable>(_ left: Value, _ right: Value) -> Int { left < right ? -1 : left > right ? 1 : 0 }
        func set(_ left: Bool, _ right: Bool) -> Int { left == right ? 0 : left ? -1 : 1 }
        switch step {
        case .locallyOriginated: return set(left.isLocal, right.isLocal)
        case .longLivedStale: return set(!left.fields.isLongLivedStale, !right.fields.isLongLivedStale)
        case .localPref: return lower(right.fields.localPref, left.fields.localPref)
        case .asPathLength: return lower(left.fields.asPathLength, right.fields.asPathLength)
        case .origin: return lower(left.fields.origin, right.fields.origin)
        case .med:
            guard left.fields.neighbourAS == right.fields.neighbourAS else { return 0 }
            return lower(left.fields.med, right.fields.med)
        case .external: return set(left.isExternal, right.isExternal)
        case .interiorCost: return lower(left.fields.interiorCost, right.fields.interiorCost)
        case .bgpIdentifier: return lower(left.identifier, right.identifier)
        case .clusterListLength: return lower(left.fields.clusterListLength, right.fields.clusterListLength)
        case .peerAddress:
            guard let leftAddress = left.peerAddress, let rightAddress = right.peerAddress else { return 0 }
            return lower(leftAddress, rightAddress)
        case .pathIdentifier: return lower(left.pathID, right.pathID)
        }
    }

    /// The place of the best of `ranks`; nil when there is none. Of two that no step tells apart the first wins.
    ///
    /// - Complexity: O(n)
    static func best(of ranks: [RouteRank]) -> Int? {
        guard var leader = ranks.indices.first else { return nil }
        for index in ranks.indices.dropFirst() where difference(ranks[index], ranks[leader], in: beforeMED) < 0 {
            leader = index
        }
        var lowest = LowestMEDs()
        for rank in ranks where difference(rank, ranks[leader], in: beforeMED) == 0 { lowest.insert(rank) }
        var best: Int?
        for index in ranks.indices where difference(ranks[index], ranks[leader], in: beforeMED) == 0 {
            if lowest.rulesOut(ranks[index]) { continue }
            if let current = best, difference(ranks[index], ranks[current], in: afterMED) >= 0 { continue }
            best = index
        }
        return best
    }

    /// Whether packets may go either way (multipath): two routes that no step up to the interior cost tells apart. The
    /// AS_PATHs need not be the same, only of one length, as with BIRD.
    static func isEqual(_ left: RouteRank, _ right: RouteRank) -> Bool {
        difference(left, right, in: untilInteriorCost) == 0
    }

    /// How two such routes are put in order.
    static func isBetter(_ left: RouteRank, _ right: RouteRank) -> Bool { difference(left, right, in: afterMED) < 0 }

    /// The step at which `loser` lost to `winner`, the best of a set that holds both.
    static func losingStep(of loser: RouteRank, to winner: RouteRank) -> DecisionStep {
        for step in DecisionStep.allCases {
            switch compare(winner, loser, at: step) {
            case ..<0: return step
            // A third route of the loser's neighbouring AS ruled it out and lost to the winner later.
            case 1...: return .med
            default: continue
            }
        }
        return .pathIdentifier
    }

    private static let beforeMED: [DecisionStep] = DecisionStep.allCases.filter { $0 < .med }
    private static let untilInteriorCost: [DecisionStep] = DecisionStep.allCases.filter { $0 <= .interiorCost }
    private static let afterMED: [DecisionStep] = DecisionStep.allCases.filter { $0 > .med }

    private static func difference(_ left: RouteRank, _ right: RouteRank, in steps: [DecisionStep]) -> Int {
        for step in steps {
            let result = compare(left, right, at: step)
            if result != 0 { return result }
        }
        return 0
    }
}
