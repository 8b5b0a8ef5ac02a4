/// An entry of a VXLAN's forwarding database: the host that a link-layer address is behind.
package struct FDBEntry: Sendable, Hashable, CustomStringConvertible {
    /// The VXLAN's index.
    package var linkIndex: UInt32
    /// The link-layer address inside the tunnel.
    package var macAddress: MACAddress
    /// Where frames for it are sent.
    package var destination: IPAddress

    /// Makes a permanent entry.
    package init(linkIndex: UInt32, macAddress: MACAddress, destination: IPAddress) {
        self.linkIndex = linkIndex
        self.macAddress = macAddress
        self.destination = destination
    }

    /// The entry in the words of `bridge fdb`.
    package var description: String { "\(macAddress) dev if\(linkIndex) dst \(destination) self permanent" }
}
