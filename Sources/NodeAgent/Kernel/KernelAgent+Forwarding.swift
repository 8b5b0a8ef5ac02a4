import Dataplane
import LinuxOS
import Logging
import ModePlugins
import NetTypes
import Netlink

// From BGP.
extension KernelAgent {
    /// Programs what the speaker learns, and keeps it so, until the speaker's signal is finished.
    func runForwarding(from speaker: Speaker) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.runUpkeep(by: speaker.eventLoop) }
            await speaker.forwardingSignal.forEach {
                var hasMore = true
                while hasMore {
                    let forwarding = await speaker.nextForwarding()
                    hasMore = forwarding.hasMore
                    take(forwarding)
                }
            }
            group.cancelAll()
        }
    }

    /// Changes and reception are of one moment: a peer that has said everything has said what is in the changes.
    ///
    /// What comes first goes to the kernel at once, and while it is at work there the next is planned. What is planned
    /// meanwhile goes together: large batches cost the kernel less (`RouteBatch`).
    private func take(_ forwarding: Speaker.Forwarding) {
        guard let reception = forwarding.reception else {
            wish(plan.learn(forwarding.changes))
            advance(isWaiting: false)
            return
        }
        var changed = plan.learn(forwarding.changes)
        if isInFlight {
            wish(changed)
            changed = []
            advance(isWaiting: true)
            land()
        }
        if !forwarding.changes.isEmpty || hasPendingRoutes { settle(changed) }
        drop(because: "every peer that could carry it has sent its End-of-RIB without it") { route in
            reception.isDisowned(route.destination, gateways: nodes(behind: route))
        }
        let now = BootClock.now()
        if !forwarding.converged.isEmpty { offload.peerCame(at: now) }
        for (peer, since) in forwarding.converged { numbers.convergence[peer] = now - since }
    }

    private var isInFlight: Bool { sockets?.routes.isInFlight ?? false }

    private var hasPendingRoutes: Bool { !(sockets?.routes.table.queue.isEmpty ?? true) }

    func drop(because reason: String, where isDisowned: (Route) -> Bool) {
        // What is absent from a configuration that could not be read whole may be meant to be there.
        guard configuration?.isWhole ?? false else { return }
        // A prefix that was learned and cannot be programmed yet keeps the route it has.
        let routes = (sockets?.routes.table.adoptedRoutes ?? []).filter { route in
            !plan.isLearned(route.destination) && isDisowned(route)
        }
        for route in routes {
            logger.notice("route of an earlier run removed", metadata: ["route": "\(route)", "reason": "\(reason)"])
            sockets?.routes.table.releaseAdopted(route.destination, metric: route.metric)
        }
        if !routes.isEmpty { settle([]) }
    }
}
