package import NetTypes

extension TunnelTable {
    /// The node that packets to a gateway of a tunnel device go to, as the kernel has it; nil where there is no such
    /// gateway.
    package func endpoint(of gateway: IPAddress, by link: UInt32) -> IPAddress? {
        guard let mac = neighbours.actual[NeighbourKey(linkIndex: link, address: gateway)] else { return nil }
        return fdb.actual[FDBKey(linkIndex: link, macAddress: mac)]
    }
}
