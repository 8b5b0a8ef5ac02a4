package import NetTypes
package import Resources

/// Why a mode could not be had.
package enum ModeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// This build has no plugin for the mode; `available` are those it has.
    case notAvailable(EncapsulationMode, available: [EncapsulationMode])

    /// The sentence for a log line or a CNI error.
    package var description: String {
        switch self {
        case .notAvailable(let mode, let available):
            "mode \(mode) is not available in this version; available: "
                + available.map(\.rawValue).joined(separator: ", ")
        }
    }
}

/// The mode plugins of a build, one row each.
package struct ModeRegistry: Sendable {
    /// The plugins that Apus ships.
    package static let builtIn = ModeRegistry([
        BGPMode(),
        IPIPMode(),
        VXLANMode(),
        CrossSubnetMode(inner: VXLANMode()),
    ])

    private let rows: [any ModePlugin]

    /// A registry of these plugins; of two for one mode the first counts.
    package init(_ rows: [any ModePlugin]) {
        self.rows = rows
    }

    /// The modes that have a plugin.
    package var modes: [EncapsulationMode] { rows.map(\.mode) }

    /// The plugin of `mode`.
    /// - Throws: `ModeError.notAvailable`; refuse the pool or the request and say so.
    package func plugin(for mode: EncapsulationMode) throws(ModeError) -> any ModePlugin {
        guard let plugin = rows.first(where: { $0.mode == mode }) else {
            throw .notAvailable(mode, available: modes)
        }
        return plugin
    }

    /// The plugin of a pool: crosssubnet over the tunnel that the pool names.
    /// - Throws: `ModeError.notAvailable`.
    package func plugin(for pool: IPPool) throws(ModeError) -> any ModePlugin {
        guard pool.mode == .crosssubnet else { return try plugin(for: pool.mode) }
        return CrossSubnetMode(inner: try plugin(for: pool.ipipMode == .crossSubnet ? .ipip : .vxlan))
    }

    /// The MTU of a pod: the host's less the largest overhead of the enabled modes, so that a pod outlives a change of
    /// its pool's mode. Modes without a plugin carry no pods and cost nothing.
    package func podMTUBytes(
        hostMTUBytes: UInt32, enabled: some Sequence<EncapsulationMode>, over family: AddressFamily = .ipv4,
    ) -> UInt32 {
        let overheads = enabled.compactMap { mode in
            rows.first { $0.mode == mode }?.overheadBytes(over: family)
        }
        let overhead = overheads.max() ?? 0
        return overhead < hostMTUBytes ? hostMTUBytes - overhead : hostMTUBytes
    }
}
