import NetTypes

/// The routes that stay in the kernel although the table has chosen another next hop since, because that one's cannot be
/// had yet; each with the ways that it is by.
///
/// A way stays as long as somebody still announces it: what is withdrawn is not used any more (RFC 4271 §3.1). A next hop
/// that is chosen and cannot be had for a while, as in a change of mode, keeps its route without being here.
struct ReplacedRoutes: Sendable {
    private var ways: [IPPrefix: [TunnelCheck.Route]] = [:]

    var isEmpty: Bool { ways.isEmpty }

    /// The next hops of each.
    var nextHops: [IPPrefix: Set<IPAddress>] { ways.mapValues { Set($0.map(\.nextHop)) } }

    /// Takes down prefixes that cannot be had, of those that have just lost next hops.
    mutating func keep(_ unready: [IPPrefix], replaced: [(prefix: IPPrefix, ways: [TunnelCheck.Route])]) {
        guard !unready.isEmpty, !replaced.isEmpty else { return }
        let former = Dictionary(replaced.map { ($0.prefix, $0.ways) }, uniquingKeysWith: { first, _ in first })
        // What is kept already was not programmed anew.
        for prefix in unready where ways[prefix] == nil { ways[prefix] = former[prefix] }
    }

    /// The prefix has got a route, or has lost it.
    mutating func forget(_ prefix: IPPrefix) {
        guard !ways.isEmpty else { return }
        ways[prefix] = nil
    }

    /// Forgets the ways that nobody announces any more, by their next hops, of prefixes that are still what was asked
    /// about.
    ///
    /// - Returns: the prefixes concerned, each with the ways that are left to it.
    mutating func release(
        _ withdrawn: [IPPrefix: Set<IPAddress>], asked: [IPPrefix: Set<IPAddress>],
    ) -> [(prefix: IPPrefix, left: [TunnelCheck.Route])] {
        var released: [(prefix: IPPrefix, left: [TunnelCheck.Route])] = []
        for (prefix, gone) in withdrawn {
            guard let known = ways[prefix], Set(known.map(\.nextHop)) == asked[prefix] else { continue }
            let left = known.filter { !gone.contains($0.nextHop) }
            ways[prefix] = left.isEmpty ? nil : left
            released.append((prefix, left))
        }
        return released
    }
}
