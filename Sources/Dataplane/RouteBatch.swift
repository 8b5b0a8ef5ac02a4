import NetTypes
package import Netlink

/// Operations as they go to the kernel together: in an order that costs the kernel little.
///
/// The kernel's trie of IPv4 routes (net/ipv4/fib_trie.c) doubles and halves its nodes as they fill and empty. When
/// neighbours come or go one after the other it rebuilds them from the bottom to the top again and again, which costs
/// more than all the rest of a deletion. So destinations are taken by the bits of their networks read from the last to
/// the first, and each part of the batch lies evenly over all of it. Additions and changes stay before deletions.
package struct RouteBatch: Sendable {
    /// What is sent.
    package let messages: RouteMessages
    private let attempt: RouteAttempt
    /// The place of each message's operation.
    private let places: [Int]
    /// The bits of a number that hold a place.
    private static let placeMask: UInt64 = (1 << 31) - 1

    /// Scatters the operations.
    ///
    /// - Parameter nextHops: gives numbers to the next hops that many routes share.
    /// - Complexity: O(n log n)
    init(_ attempt: RouteAttempt, _ nextHops: inout NextHopNumbers) {
        let changes = attempt.changes
        // One number for the order and the place: to sort numbers is quick.
        var order = changes.indices.map { changes[$0].scatter | UInt64($0) & Self.placeMask }
        order.sort()
        let places = order.map { Int($0 & Self.placeMask) }
        messages = RouteMessages(
            changes, in: places, nextHop: { nextHops.object(for: attempt.form($0)) },
            request: { attempt.operation(at: $0).request })
        self.attempt = attempt
        self.places = places
    }

    /// The same with every route's hop in itself, for a kernel that does not take the next hops of `messages`.
    ///
    /// - Complexity: O(n)
    package var plainMessages: RouteMessages {
        RouteMessages(attempt.changes, in: places) { attempt.operation(at: $0).request }
    }

    /// What is sent at a place, as a request.
    package func request(at index: Int) -> NetlinkRequest { attempt.operation(at: places[index]).request }

    /// What is sent, as requests.
    ///
    /// - Complexity: O(n)
    package var requests: NetlinkBatch { NetlinkBatch(places.map { attempt.operation(at: $0).request }) }

    /// The errors of those that failed, by the places of their operations.
    func errors(_ failures: [NetlinkFailure]) -> [Int: NetlinkError] {
        var errors: [Int: NetlinkError] = [:]
        for failure in failures where places.indices.contains(failure.index) {
            errors[places[failure.index]] = failure.error
        }
        return errors
    }
}

extension RouteChange {
    /// The highest bit says whether it is a deletion: those come last. The next 32 are the network's, the last of them
    /// first; of an IPv6 network those that subnets differ in. The others are 0.
    fileprivate var scatter: UInt64 {
        let part: UInt64 = verb == .delete ? 1 << 63 : 0
        let bits =
            switch destination.address {
            case .v4(let address): UInt64(address.rawValue).bitReversed
            case .v6(let address): address.high.bitReversed
            }
        return part | (bits >> 32) << 31
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
