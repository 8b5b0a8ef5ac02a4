import NetTypes
import NodeLink

// Learned routes that are not in the kernel.
extension Diagnosis {
    mutating func checkRoutes(_ routes: [RouteRow]) {
        // A node that is to program none is as it should be.
        for route in routes where !route.isProgrammed && route.obstacle != .disabled {
            add("\(route.prefix) via \(route.nextHop) is not in the kernel: \(route.state)", route.remedy)
        }
        // What it needs beside itself is not there.
        for route in routes where route.isProgrammed && route.obstacle == .refused {
            add("packets for \(route.prefix) via \(route.nextHop) may be lost: \(route.state)", route.remedy)
        }
    }
}

extension RouteRow {
    /// Whether the kernel has it.
    var isProgrammed: Bool { state.hasPrefix("programmed") || state == "kept from an earlier run" }

    /// Whether nothing stands against packets' going there, as far as this node would send any.
    var isReached: Bool { isProgrammed || obstacle == .disabled }

    /// What to do about it where the kernel has it not.
    fileprivate var remedy: String {
        switch obstacle {
        case .disabled: "remove programClusterRoutes of the BGPConfiguration, if the node is to have it"
        case .pending: "wait a moment: apusd is at work on it"
        case .linkDown:
            "see that \(link.isEmpty ? "the link" : link) is up and has a carrier (ip link show); the route follows at "
                + "once"
        case .tunnelDown:
            "the device must be there first: the log of apusd says why it is not to be had, such as a kernel without "
                + "the module, a link of another's with that name, or no link with the node's own address"
        case .tunnelUntold:
            "give the pool one mode on all nodes (apusctl get ippools there); until its owner is ready for \(mode) the "
                + "former way stays"
        case .tunnelRefused:
            "make the Node resources, and vxlanVNI and vxlanPort of the FelixConfiguration, the same on both nodes; "
                + "until then the former way stays"
        case .unreachable:
            "the next hop must be on a link of this node, or behind a router of its main table "
                + "(ip route get \(nextHop))"
        case .conflict:
            "another program has that route: remove it (ip route show \(prefix)), or take its prefix out of the pool"
        case .refused: "the kernel's own words say why; apusd tries again within a minute, and when links change"
        case .other, nil: "the log of apusd says more"
        }
    }
}
