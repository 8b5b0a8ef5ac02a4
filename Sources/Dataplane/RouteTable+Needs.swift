package import NetTypes

// What a route needs beside itself: neighbours and forwarding entries.
extension RouteTable {
    /// Holds routes back whose needs the kernel has refused, and lets those go that wait for nothing any more. What is in
    /// the kernel stays there; `retry` and links do not end the wait.
    ///
    /// - Parameter unmet: every such prefix, as `TunnelTable.unmet` has them after the entries were added.
    package mutating func holdBack(_ unmet: [IPPrefix: RouteProblem]) {
        for (key, problem) in problems {
            guard case .unmet = problem, unmet[key.destination] == nil else { continue }
            forgetProblem(key)
            reconsider(key)
        }
        for (prefix, problem) in unmet {
            let key = RouteKey(prefix)
            // Nothing is amiss with a route that is gone or on its way out.
            if desired(key) != nil { setProblem(problem, at: key) }
        }
    }
}
