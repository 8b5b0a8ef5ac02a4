import NetTypes
import Netlink

/// The numbers of the next hops that routes by the thousand name (`NextHopObject`). One number is never given to two hops.
struct NextHopNumbers: Sendable {
    private let protocolNumber: UInt8
    private var numbers: [Route.Hop: UInt32] = [:]
    private var next: UInt32
    /// Whether routes are to have their hops in themselves: this kernel does not show the hops of those that name them
    /// (net.ipv4.nexthop_compat_mode 0), so that they could not be compared.
    private(set) var isOff = false
    /// Whether the latest dump had routes whose hops it did not show: which next hops they name nobody knows.
    private(set) var hasHidden = false

    /// Begins with a number that nobody else has.
    init(protocolNumber: UInt8, first: UInt32) {
        self.protocolNumber = protocolNumber
        next = first
    }

    /// The next hop that routes of a form may name: they have one gateway, which the kernel takes for reachable by itself.
    mutating func object(for form: Route) -> NextHopObject? {
        guard !isOff, form.kind == .unicast, form.hops.count == 1, let hop = form.hops.first, !hop.isOnLink,
            hop.linkIndex != 0, let gateway = hop.gateway
        else { return nil }
        let number = numbers[hop] ?? next
        if number == next {
            numbers[hop] = number
            next &+= 1
        }
        return NextHopObject(
            id: number, gateway: gateway, linkIndex: hop.linkIndex, protocolNumber: protocolNumber)
    }

    /// Takes a dump of every route of the protocol number.
    mutating func observe(_ routes: [Route]) {
        hasHidden = routes.contains { $0.kind == .unicast && $0.hops.isEmpty }
        if hasHidden { isOff = true }
    }

    /// Takes a dump of the next hops that are to stay: they are named as before, and what is gone has its number no more.
    mutating func adopt(_ objects: [NextHopObject]) {
        numbers = Dictionary(objects.map { ($0.hop, $0.id) }, uniquingKeysWith: { min($0, $1) })
        // An earlier run may have begun where this one did.
        for object in objects where object.id >= next && object.id - next < Self.block { next = object.id &+ 1 }
    }

    /// As many numbers follow the first before somebody else's may come.
    private static let block: UInt32 = 1 << 16
}

extension NextHopObject {
    /// The hop of a route that names it.
    var hop: Route.Hop { Route.Hop(linkIndex: linkIndex, gateway: gateway) }
}
