import Dataplane
import Logging
import NetTypes
import Netlink

// What is on its way to the kernel.
extension KernelAgent {
    /// Takes in what the kernel has answered, hands it the wishes as far as it can take them, and does not wait: `land`
    /// does, and `forwardingSignal` says when to come again.
    func advance() {
        carryOut { (sockets: KernelSockets) throws(NetlinkError) in
            try addEntries(of: sockets)
            while sockets.routes.isAnswered { report(try sockets.routes.exchange()) }
            guard !sockets.routes.launch(), !sockets.routes.isInFlight, !sockets.routes.isGathering else { return }
            report(try sockets.routes.apply())
            try removeLeftovers(of: sockets)
        }
    }

    /// Waits for what was launched, if it is under way. Whoever looks at the kernel, or hears of it, does this first.
    func land() {
        guard let sockets, sockets.routes.isInFlight else { return }
        carryOut { (sockets: KernelSockets) throws(NetlinkError) in
            report(try sockets.routes.land())
            try removeLeftovers(of: sockets)
        }
    }

    /// Adds the neighbours and forwarding entries that routes are about to need, which come first: a route without them
    /// loses packets. Those of what the kernel refuses wait.
    func addEntries(of sockets: KernelSockets) throws(NetlinkError) {
        report(try sockets.tunnels.add())
        sockets.routes.table.holdBack(sockets.tunnels.table.unmet)
    }

    func removeLeftovers(of sockets: KernelSockets) throws(NetlinkError) {
        guard !sockets.tunnels.table.isSettled else { return }
        let gateways = sockets.routes.table.gateways(by: Set(tunnels.links.values))
        report(try sockets.tunnels.removeLeftovers(gateways: gateways))
    }

    func carryOut(_ body: (KernelSockets) throws(NetlinkError) -> Void) {
        guard let sockets else { return }
        do {
            try body(sockets)
        } catch {
            numbers.failures += 1
            logger.error("netlink failed; a new socket is opened", metadata: ["reason": "\(error)"])
            isBroken = true
        }
    }

    func report(_ report: RouteReport) {
        guard !report.news.isEmpty else { return }
        numbers.refusedRoutes += Int64(report.news.count)
        var remarks = RouteRemarks<RouteKey>()
        for (key, problem) in report.news { remarks.note(problem.text { picture.name(of: $0) }, about: key) }
        for news in remarks.takeNews() { logger.error("route not programmed", metadata: news.metadata) }
    }
}
