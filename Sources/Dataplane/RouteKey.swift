// Dataplane: what the kernel is to hold, what it holds, and what must be done about the difference.
//
// Parts. `RouteTable` is a pure value with a row for each destination: desired (what the daemon wants), actual (what the
// kernel holds of Apus' own) and pending (whether the two differ and something can be done now). `RouteDriver` carries
// pending operations to the kernel and what it answers back. `RouteKernel` is the seam between the driver and netlink.
//
// Data flow. desired ← the forwarding plan; actual ← dumps, events and acknowledged operations; operations → kernel.
//
// How a restarted daemon knows its own: every route of the table bears the route protocol number of Apus (97). Pod
// routes, which the CNI executable makes, bear it too; they are told apart by their form (`Route.isEndpoint`) and are
// not the table's. A route of another protocol is never changed and never deleted.
//
// Nothing is deleted because it is unknown: a route that is found and not desired is adopted, and stays until somebody
// who knows says that it may go (`releaseAdopted`, `sweep`).

package import NetTypes
import Netlink

/// What the kernel tells routes of the main table apart by: destination and metric.
package struct RouteKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The destination.
    package let destination: IPPrefix
    /// The metric; 0 is the kernel's default of the family.
    package let metric: UInt32

    /// Joins the two, as canonical routes have them.
    package init(_ destination: IPPrefix, metric: UInt32 = 0) {
        self.destination = destination
        self.metric = Route.canonicalMetric(metric, destination.family)
    }

    /// The key of a route in canonical form.
    init(_ route: Route) {
        destination = route.destination
        metric = route.metric
    }

    /// The destination, and the metric where it is not the kernel's default.
    package var description: String { metric == 0 ? "\(destination)" : "\(destination) metric \(metric)" }

    package func hash(into hasher: inout Hasher) {
        destination.hash(into: &hasher)
        if metric != 0 { hasher.combine(metric) }
    }

    package static func < (left: RouteKey, right: RouteKey) -> Bool {
        if left.destination != right.destination { return left.destination < right.destination }
        return left.metric < right.metric
    }
}

extension RouteKey: SpreadKey {
    /// A hash of both; nearly every metric is 0.
    package var spread: UInt32 {
        if metric == 0 { return destination.spread }
        return UInt32(truncatingIfNeeded: (UInt64(destination.spread) << 32 | UInt64(metric)).mixed)
    }
}

extension Route {
    /// Whether this is the form of the route to a pod: one address, on a link of its own, without a gateway.
    package var isEndpoint: Bool {
        destination.isHost && kind == .unicast && hops.count == 1 && hops.allSatisfy { $0.gateway == nil }
    }
}
