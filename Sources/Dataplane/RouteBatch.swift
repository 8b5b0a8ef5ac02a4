import NetTypes
import Netlink

/// Operations as they go to the kernel together: in an order that costs the kernel little.
///
/// The kernel's trie of IPv4 routes (net/ipv4/fib_trie.c) doubles and halves its nodes as they fill and empty. When
/// neighbours come or go one after the other it rebuilds them from the bottom to the top again and again, which costs
/// more than all the rest of a deletion. So destinations are taken by the bits of their networks read from the last to
/// the first, and each part of the batch lies evenly over all of it. Additions and changes stay before deletions.
struct RouteBatch {
    /// What is sent.
    let requests: NetlinkBatch
    /// The place of each request's operation.
    private let places: [Int]

    /// Scatters the operations.
    ///
    /// - Complexity: O(n log n)
    init(_ operations: [RouteOperation]) {
        var order = operations.indices.map { (scatter: operations[$0].scatter, place: $0) }
        order.sort { ($0.scatter.part, $0.scatter.bits, $0.place) < ($1.scatter.part, $1.scatter.bits, $1.place) }
        places = order.map(\.place)
        requests = NetlinkBatch(places.map { operations[$0].request })
    }

    /// The errors of those that failed, by the places of their operations.
    func errors(_ failures: [NetlinkFailure]) -> [Int: NetlinkError] {
        var errors: [Int: NetlinkError] = [:]
        for failure in failures where places.indices.contains(failure.index) {
            errors[places[failure.index]] = failure.error
        }
        return errors
    }
}

extension RouteOperation {
    /// Deletions come last; within a part the order is that of the network's bits, the last of them first.
    fileprivate var scatter: (part: UInt8, bits: UInt64) {
        let part: UInt8 = if case .delete = self { 1 } else { 0 }
        switch route.destination.address {
        case .v4(let address): return (part, UInt64(address.rawValue).bitReversed)
        case .v6(let address): return (part, address.high.bitReversed)
        }
    }
}

extension UInt64 {
    /// The bits from the last to the first.
    fileprivate var bitReversed: UInt64 {
        var value = self
        value = (value >> 1) & 0x5555_5555_5555_5555 | (value & 0x5555_5555_5555_5555) << 1
        value = (value >> 2) & 0x3333_3333_3333_3333 | (value & 0x3333_3333_3333_3333) << 2
        value = (value >> 4) & 0x0f0f_0f0f_0f0f_0f0f | (value & 0x0f0f_0f0f_0f0f_0f0f) << 4
        return value.byteSwapped
    }
}
