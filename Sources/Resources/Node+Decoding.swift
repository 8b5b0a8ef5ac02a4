import NetTypes

extension Node {
    /// Reads a Node; nil when it is refused.
    ///
    /// A Node without BGP addresses takes the first InternalIP of each family, from `spec.addresses` or, as Kubernetes
    /// has it, from `status.addresses`.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        var node = Node(name: metadata.name ?? "", labels: metadata.labels)
        let inSpec = reader.mapping("spec") { spec in
            spec.mapping("bgp") { node.read(bgp: &$0) }
            spec.skip(["orchRefs"])
            node.read(vxlan: &spec)
            spec.ignore(["wireguard"])
            return Self.internalAddresses(&spec)
        }
        // A cluster's own account of a node holds far more than addresses, and none of it was written by the operator.
        let inStatus = reader.mapping("status") { status in
            let addresses = Self.internalAddresses(&status)
            status.abandon()
            return addresses
        }
        if node.ipv4 == nil && node.ipv6 == nil {
            let candidates = (inSpec ?? []) + (inStatus ?? [])
            node.ipv4 = candidates.first { $0.address.family == .ipv4 }
            node.ipv6 = candidates.first { $0.address.family == .ipv6 }
        }
        guard metadata.name != nil else { return nil }
        self = node
    }

    private mutating func read(bgp reader: inout FieldReader) {
        ipv4 = reader.optional("ipv4Address", as: FieldValue.ownAddress(of: .ipv4))
        ipv6 = reader.optional("ipv6Address", as: FieldValue.ownAddress(of: .ipv6))
        asNumber = reader.optional("asNumber", as: FieldValue.asNumber)
        routeReflectorClusterID = reader.optional("routeReflectorClusterID", as: FieldValue.clusterID)
        tunnelEnds.ipip = reader.optional("ipv4IPIPTunnelAddr", as: FieldValue.nodeAddress(of: .ipv4))?.address
    }

    private mutating func read(vxlan reader: inout FieldReader) {
        for (family, addressKey, macKey) in [
            (AddressFamily.ipv4, "ipv4VXLANTunnelAddr", "vxlanTunnelMACAddr"),
            (.ipv6, "ipv6VXLANTunnelAddr", "vxlanTunnelMACAddrV6"),
        ] {
            tunnelEnds.vxlan[family] = reader.optional(addressKey, as: FieldValue.nodeAddress(of: family))?.address
            tunnelEnds.vxlanMAC[family] = reader.optional(macKey, as: FieldValue.unicastMAC)
        }
    }

    private static func internalAddresses(_ reader: inout FieldReader) -> [Address] {
        reader.mappings("addresses") { entry -> Address? in
            guard entry.required("type", as: FieldValue.text) == "InternalIP" else {
                entry.abandon()
                return nil
            }
            return entry.required("address", as: FieldValue.ownAddress)
        }.compactMap { $0 }
    }
}
