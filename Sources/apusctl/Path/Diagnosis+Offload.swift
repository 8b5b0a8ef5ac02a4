import NodeLink

// Checksums that are left to a network card which does not compute them.
extension Diagnosis {
    private static let override = "FelixConfiguration's featureDetectOverride: ChecksumOffloadBroken="

    mutating func checkOffloads(_ account: Account) {
        for tunnel in account.status.tunnels {
            switch tunnel.finding {
            case .broken:
                add(
                    "checksum offload of \(tunnel.device) is off, and costs CPU: packets whose inner checksum is left to "
                        + "the network card did not arrive at \(tunnel.peer), and did without the offload",
                    "update the card's driver or firmware, or the hypervisor's; then \(Self.override)false turns it on, "
                        + "and without that line it is tried again. To keep it off and hear no more of it: "
                        + "\(Self.override)true")
            case .foundOff:
                add(
                    "checksum offload of \(tunnel.device) is off, and costs CPU: it was found so, and is left so",
                    "ethtool -K \(tunnel.device) tx on has it tried; to keep it off and hear no more of it: "
                        + "\(Self.override)true")
            case .unknown, .sound, .decided: break
            }
        }
    }
}
