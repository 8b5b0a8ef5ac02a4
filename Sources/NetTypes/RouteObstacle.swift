/// What stands against a learned route's being in the kernel, in a word for programs.
package enum RouteObstacle: String, Sendable, Hashable, CaseIterable {
    /// The node is to program none (`programClusterRoutes: Disabled`).
    case disabled
    /// It is on its way.
    case pending
    /// The link that it would leave by is down.
    case linkDown
    /// The tunnel device that it would leave by is missing or down.
    case tunnelDown
    /// The node behind it has not announced the tunnel that the pool's mode needs.
    case tunnelUntold
    /// What is announced of the tunnel contradicts the configuration.
    case tunnelRefused
    /// No link and no route of another's leads to the next hop.
    case unreachable
    /// Somebody else's route stands in its place.
    case conflict
    /// The kernel did not take it.
    case refused
    /// Something else.
    case other
}
