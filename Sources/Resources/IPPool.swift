package import NetTypes

/// A range of pod addresses, cut into blocks that nodes own (`kind: IPPool`).
package struct IPPool: Sendable, Hashable {
    /// When packets of the pool are encapsulated in one tunnel protocol.
    package enum TunnelUse: String, Sendable, Hashable, CaseIterable {
        case never = "Never"
        case always = "Always"
        case crossSubnet = "CrossSubnet"
    }

    /// metadata.name.
    package var name: String
    /// The addresses of the pool.
    package var cidr: IPPrefix
    /// The prefix length of its blocks: 20...32 for IPv4, 116...128 for IPv6.
    package var blockSize: UInt8
    /// Use of IP in IP. At most one of the two is not `never`.
    package var ipipMode: TunnelUse
    /// Use of VXLAN.
    package var vxlanMode: TunnelUse
    /// Whether packets that leave all pools get the node's address as source.
    package var natOutgoing: Bool
    /// Whether allocation from the pool is off, because it says so or is not for pods. Pods that have an address of it stay reachable.
    package var isDisabled: Bool
    /// The nodes that may take addresses from the pool.
    package var nodeSelector: Selector
    /// Whether BGP keeps the pool's blocks to the node.
    package var disableBGPExport: Bool
    /// Whether only pods that ask for the pool, or for an address of it, get one (`assignmentMode: Manual`).
    package var isManual: Bool
    /// Whether its addresses are for pods (`allowedUses`).
    package var isForPods = true

    /// Makes a pool; `blockSize` nil is Calico's default, 26 or 122.
    package init(
        name: String, cidr: IPPrefix, blockSize: UInt8? = nil, ipipMode: TunnelUse = .never,
        vxlanMode: TunnelUse = .never, natOutgoing: Bool = false, isDisabled: Bool = false,
        nodeSelector: Selector = .all, disableBGPExport: Bool = false,
        isManual: Bool = false,
    ) {
        self.name = name
        self.cidr = cidr
        self.blockSize = blockSize ?? Self.defaultBlockSize(of: cidr.family)
        self.ipipMode = ipipMode
        self.vxlanMode = vxlanMode
        self.natOutgoing = natOutgoing
        self.isDisabled = isDisabled
        self.nodeSelector = nodeSelector
        self.disableBGPExport = disableBGPExport
        self.isManual = isManual
    }

    /// The block sizes that Calico allows in `family`.
    package static func blockSizes(of family: AddressFamily) -> ClosedRange<UInt8> {
        family == .ipv4 ? 20...32 : 116...128
    }

    /// The block size of a pool that names none.
    package static func defaultBlockSize(of family: AddressFamily) -> UInt8 {
        family == .ipv4 ? 26 : 122
    }
}
