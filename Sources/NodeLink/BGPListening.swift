package import NetTypes

/// Where the daemon accepts BGP peers, or would if nobody else had the port.
package struct BGPListening: Sendable, Hashable {
    /// The TCP port.
    package var port: UInt16
    /// The addresses; the unspecified one stands for all of its family.
    package var addresses: [IPAddress]

    /// Joins the two.
    package init(port: UInt16, addresses: [IPAddress]) {
        self.port = port
        self.addresses = addresses
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        port = try reader.integer("port")
        addresses = try reader.list("addresses", expected: "an address") { IPAddress($0) }
    }

    /// `{"port":179,"addresses":["192.168.1.1"]}`
    package var json: JSONValue {
        ["port": .int(Int64(port)), "addresses": .array(addresses.map { .string($0.description) })]
    }
}
