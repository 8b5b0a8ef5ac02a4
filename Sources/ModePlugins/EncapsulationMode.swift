package import Resources

/// How the packets of a pool travel between nodes. The raw value is the word of the conflist's `mode`, of `node.json`
/// and of the socket protocol.
package enum EncapsulationMode: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Plain routes: the wire between the nodes carries pod addresses.
    case bgp
    /// Every packet in an IP in IP tunnel.
    case ipip
    /// Every packet in a VXLAN tunnel.
    case vxlan
    /// Plain routes inside the local node's subnet, a tunnel beyond it.
    case crosssubnet

    /// The word.
    package var description: String { rawValue }
}

extension IPPool {
    /// The mode that `ipipMode` and `vxlanMode` come to; the decoder refuses a pool where both are not Never.
    package var mode: EncapsulationMode {
        switch (ipipMode, vxlanMode) {
        case (.never, .never): .bgp
        case (.always, _): .ipip
        case (.never, .always): .vxlan
        case (.crossSubnet, _), (.never, .crossSubnet): .crosssubnet
        }
    }
}
