import LinuxOS
import Logging
import NetTypes
import Netlink
import Resources

// Whether the next hops of BGP are reached (RFC 4271 §9.1.2.1): those of all routes, not of the best ones alone.
extension KernelAgent {
    /// Looks up the next hops that are in doubt, and tells the speaker when others are unreachable than before.
    func judgeNextHops(of speaker: Speaker) async {
        if speaker.takeHasOtherNextHops() { reach.watch(await speaker.nextHops()) }
        let now = BootClock.now()
        for nextHop in reach.takeDue() { reach.found(isCovered: isCovered(nextHop), nextHop, at: now) }
        let new = reach.unreachable(at: now)
        guard new != unreachableNextHops else { return }
        for nextHop in new.subtracting(unreachableNextHops).sorted() {
            logger.warning("no route leads to a next hop: its routes are not used", metadata: ["nextHop": "\(nextHop)"])
        }
        for nextHop in unreachableNextHops.subtracting(new).sorted() {
            logger.notice("next hop no longer unreachable", metadata: ["nextHop": "\(nextHop)"])
        }
        unreachableNextHops = new
        await speaker.setUnreachable(new)
    }

    /// Whether a network on a link covers the next hop, or a route that does not discard; nil when that cannot be known
    /// now. A link that is down or without carrier covers: it will be back. The kernel knows its other tables and rules.
    private func isCovered(_ nextHop: IPAddress) -> Bool? {
        guard let sockets, !picture.addresses.isEmpty else { return nil }
        if nextHop.isLinkLocal || picture.isOnLink(nextHop) { return true }
        guard let found = try? sockets.lookUp(nextHop) else { return nil }
        if !found.isRefused || found.hasNoRoute && picture.hasRoute(to: nextHop) { return true }
        return isCoveredFromOwn(nextHop, sockets)
    }

    /// Whether a rule for what comes from the node's own address leads there: so go a tunnel's outer packets.
    private func isCoveredFromOwn(_ nextHop: IPAddress, _ sockets: KernelSockets) -> Bool {
        let own = configuration?.nodeAddresses.map(\.address).first { $0.family == nextHop.family }
        guard let own, picture.addresses.contains(where: { $0.address.address == own }) else { return false }
        return (try? sockets.lookUp(nextHop, from: own).isRefused) == false
    }
}
