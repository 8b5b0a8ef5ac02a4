/// Why a route of the Adj-RIB-In takes no part in the decision process (RFC 4271 §9.1.2, RFC 4456 §8).
package enum Ineligibility: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// An AS that this node shows is in the AS_PATH.
    case asLoop = 1
    /// ORIGINATOR_ID is this node: a reflector sent back what this node told it.
    case ownOriginatorID
    /// CLUSTER_LIST holds the local cluster: the route has been here before.
    case ownClusterID
    /// The next hop is an address of this node.
    case nextHopIsLocal
    /// No route leads to the next hop.
    case nextHopUnreachable
    /// The next hop and the prefix are of different families, which only RFC 8950 speakers may send.
    case nextHopFamily
    /// 0.0.0.0/0 or ::/0.
    case defaultRoute
    /// The prefix lies in no known pool.
    case outsidePools
    /// The prefix covers the address of a node.
    case coversNodeAddress
    /// A rule of the peer's filters rejects it.
    case filtered

    /// The reason in words.
    package var description: String {
        switch self {
        case .asLoop: "the own AS is in the path"
        case .ownOriginatorID: "the originator is this node"
        case .ownClusterID: "the own cluster is in the cluster list"
        case .nextHopIsLocal: "the next hop is this node"
        case .nextHopUnreachable: "the next hop cannot be reached"
        case .nextHopFamily: "the next hop is of another family"
        case .defaultRoute: "the default route is not accepted"
        case .outsidePools: "the prefix is in no known pool"
        case .coversNodeAddress: "the prefix covers the address of a node"
        case .filtered: "a filter rejects it"
        }
    }
}
