import Dataplane
import LinuxOS
import Logging
import ModePlugins
import NIOCore
import NetTypes
import Netlink

// From BGP.
extension KernelAgent {
    /// So many changes are carried out sooner by the agent's own thread than handed to another.
    private static let fewChanges = 256
    /// How many prefixes are planned before the kernel is looked after.
    private static let partCount = 4096

    /// Programs what the speaker learns, and keeps it so, until the speaker's signal is finished.
    func runForwarding(from speaker: Speaker) async {
        // The speaker wakes this actor's thread itself.
        await withTaskExecutorPreference(threadPreference) {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.runUpkeep(with: speaker) }
                group.addTask { await self.runMending(by: speaker.eventLoop) }
                await program(from: speaker)
                group.cancelAll()
            }
        }
    }

    private func program(from speaker: Speaker) async {
        await forwardingSignal.forEach {
            var next = speaker.takeLaidOut()
            if next == nil { proceed() }
            while let forwarding = next {
                take(forwarding)
                next = forwarding.hasMore ? await speaker.nextForwarding() : nil
            }
        }
    }

    /// Mends what no event tells of, once a second by the clock of an event loop, until cancelled. A task that sleeps by
    /// the runtime's own clock is handed through four threads each time, on every node.
    private func runUpkeep(with speaker: Speaker) async {
        let due = Signal()
        let clock = speaker.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            due.raise()
        }
        await due.forEach {
            upkeep()
            await releaseWithdrawn(of: speaker)
            await judgeNextHops(of: speaker)
        }
        clock.cancel()
    }

    /// Changes and reception are of one moment: a peer that has said everything has said what is in the changes.
    ///
    /// What comes first goes to the kernel at once, and while it is at work there the next is planned. What is planned
    /// meanwhile goes together, and as long as more comes the batches grow: that costs the kernel less (`RouteBatch`).
    private func take(_ forwarding: Speaker.Forwarding) {
        let changed = plan.learn(forwarding.changes)
        defer { keepReplaced() }
        if plan.needsContext { plan.catchUp(with: context()) }
        sockets?.routes.expectsMore = forwarding.hasMore
        guard let reception = forwarding.reception else { return wishInParts(changed, isAll: false) }
        if !isInFlight, changed.count + (sockets?.routes.table.pendingCount ?? 0) < Self.fewChanges {
            if !changed.isEmpty || hasPendingRoutes { settle(changed) }
        } else {
            wishInParts(changed, isAll: true)
        }
        drop(because: "every peer that could carry it has sent its End-of-RIB without it") { route in
            reception.isDisowned(route.destination, gateways: nodes(behind: route))
        }
        if !forwarding.converged.isEmpty { offload.peerCame(at: BootClock.now()) }
        converging += forwarding.converged
        noteConvergence()
    }

    private func keepReplaced() {
        kept.keep(unready, replaced: plan.replaced)
        unready = []
        plan.forgetReplaced()
    }

    /// Takes away what was kept and is announced by nobody any more; of several ways those that are.
    func releaseWithdrawn(of speaker: Speaker) async {
        guard !kept.isEmpty else { return }
        let asked = kept.nextHops
        let released = kept.release(await speaker.withdrawn(of: asked), asked: asked)
        guard !released.isEmpty else { return }
        for (prefix, left) in released {
            if case .ready(let forwarding, _) = plan.outcome(for: prefix, by: left) {
                logger.notice(
                    "some of a route's ways removed",
                    metadata: ["prefix": "\(prefix)", "reason": "their next hop is withdrawn"])
                wish(forwarding, for: prefix)
            } else {
                logger.notice(
                    "route removed", metadata: ["prefix": "\(prefix)", "reason": "its next hop is withdrawn"])
                kept.forget(prefix)
                unwish(prefix)
            }
        }
        settle([])
    }

    /// The kernel is not to wait for the plan of thousands when some are ready. Where these are all there is, it begins
    /// with few: it takes three times as long for a route as the plan does. So many that they may share a next hop stay
    /// together.
    private func wishInParts(_ prefixes: [IPPrefix], isAll: Bool) {
        var rest = prefixes[...]
        let hasStart = isAll && !isInFlight && (2 * Self.fewChanges..<RouteMessages.sharingCount) ~= prefixes.count
        var count = hasStart ? Self.fewChanges : Self.partCount
        repeat {
            wish(rest.prefix(count))
            rest = rest.dropFirst(count)
            advance()
            count = Self.partCount
        } while !rest.isEmpty
    }

    /// Goes on with what is on its way to the kernel, which has answered.
    private func proceed() {
        if isInFlight || hasPendingRoutes { advance() }
        noteConvergence()
    }

    /// The changes with which peers were complete are in the kernel once nothing is on its way to it any more.
    private func noteConvergence() {
        guard !converging.isEmpty, !isInFlight, !isBroken, !isWaitingForMore else { return }
        let now = BootClock.now()
        for (peer, since) in converging { numbers.convergence[peer] = now - since }
        converging = []
    }

    private var isInFlight: Bool { sockets?.routes.isInFlight ?? false }

    /// Whether there are routes that wait for others to go with them.
    private var isWaitingForMore: Bool {
        guard let sockets else { return false }
        return sockets.routes.isGathering && sockets.routes.table.pendingCount > 0
    }

    /// Whether a route waits to be written.
    var hasPendingRoutes: Bool { !(sockets?.routes.table.queue.isEmpty ?? true) }

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
