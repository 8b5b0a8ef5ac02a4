import NetTypes

extension Node.Address {
    /// Why no other node can reach a node at this address; nil when one can.
    ///
    /// A network of two addresses has neither an address of its own nor one for all (RFC 3021, RFC 6164).
    var problem: String? {
        if !address.isUnicastHost { return "it names no single host" }
        if Self.linkLocal.contains(address) { return "it is link-local, and means nothing beyond one link" }
        if address == Self.podGateway { return "every pod has its gateway there" }
        if Self.mapped.contains(address) { return "it stands for an IPv4 address; write that" }
        guard let length, address.family.bitWidth >= 2, length <= address.family.bitWidth - 2 else { return nil }
        let network = IPPrefix(masking: address, length: length)
        if network.address == address {
            return address.family == .ipv4
                ? "it is the address of the network \(network) itself"
                : "it is the address of all routers of \(network) (RFC 4291 §2.6.1)"
        }
        if case .v4(let address) = address, address.rawValue | UInt32.max << UInt32(32 - length) == .max {
            return "it is the broadcast address of \(network)"
        }
        return nil
    }

    private static let linkLocal = IPPrefix(masking: .v6(IPv6Address(high: 0xfe80 << 48, low: 0)), length: 10)
    private static let mapped = IPPrefix(masking: .v6(IPv6Address(high: 0, low: 0xffff << 32)), length: 96)
    private static let podGateway = IPAddress.v4(IPv4Address(169, 254, 1, 1))
}
