package import NetTypes

/// The result that CHECK is given: what the whole chain's ADD has answered, as far as a plugin can hold it against the
/// kernel. Members of other plugins' making may be in it.
package struct PreviousResult: Sendable, Equatable {
    /// A link of the result.
    package struct Interface: Sendable, Equatable {
        /// Its name.
        package var name: String
        /// Its link-layer address.
        package var macAddress: MACAddress?
        /// Its MTU in octets; version 1.1.0 only.
        package var mtuBytes: UInt32?
        /// The path of its namespace; nil for a link of the host.
        package var sandbox: String?
    }

    /// The links.
    package let interfaces: [Interface]
    /// The addresses, each with the place of its link in `interfaces` if it says one.
    package let addresses: [CNIResult.Address]
    /// The routes.
    package let routes: [CNIResult.Route]

    /// Reads `prevResult` of version 0.4.0 or later.
    /// - Throws: error 7 naming what is missing or wrong.
    package init(_ json: JSONValue?) throws(CNIError) {
        guard let json else { throw CNIError(.invalidConfig, "prevResult: missing, and CHECK compares with it") }
        guard let object = json.object else {
            throw CNIError(.invalidConfig, "prevResult: expected an object, found \(json.kind)")
        }
        let reader = ConfigReader(object, path: "prevResult.", isForgiving: false)
        interfaces = try Self.interfaces(reader)
        addresses = try Self.addresses(reader, linkCount: interfaces.count)
        var routes: [CNIResult.Route] = []
        for route in try reader.objects("routes") {
            let destination = try route.parsed("dst", expected: "a prefix") { CIDRAddress($0)?.network }
            let gateway = try route.parsed("gw", expected: "an address") { IPAddress($0) }
            if let destination { routes.append(CNIResult.Route(destination: destination, gateway: gateway)) }
        }
        self.routes = routes
    }

    /// The link of this name in a container; nil if none is listed.
    package func containerLink(_ name: String) -> Interface? {
        interfaces.first { $0.name == name && $0.sandbox != nil }
    }

    /// The addresses listed for the container's link of this name; those that name no link are its, too.
    package func addresses(of name: String) -> [CIDRAddress] {
        addresses.filter { address in
            guard let place = address.interface else { return true }
            return interfaces[place].name == name && interfaces[place].sandbox != nil
        }.map(\.address)
    }

    private static func interfaces(_ reader: ConfigReader) throws(CNIError) -> [Interface] {
        var interfaces: [Interface] = []
        for link in try reader.objects("interfaces") {
            let sandbox = try link.string("sandbox")
            let mtu = try link.integer("mtu", in: 0...Int64(UInt32.max), or: 0)
            interfaces.append(
                Interface(
                    name: try link.string("name") ?? "",
                    macAddress: try link.string("mac").flatMap { MACAddress($0) },
                    mtuBytes: mtu.flatMap { $0 == 0 ? nil : UInt32($0) }, sandbox: sandbox == "" ? nil : sandbox))
        }
        return interfaces
    }

    private static func addresses(_ reader: ConfigReader, linkCount: Int) throws(CNIError) -> [CNIResult.Address] {
        var addresses: [CNIResult.Address] = []
        for (index, entry) in try reader.objects("ips").enumerated() {
            guard let address = try entry.parsed("address", expected: "an address with a length", { CIDRAddress($0) })
            else { throw CNIError(.invalidConfig, "prevResult.ips[\(index)].address: missing") }
            let place = try entry.integer("interface", in: 0...Int64(max(linkCount, 1) - 1), or: -1)
            addresses.append(
                CNIResult.Address(interface: place.flatMap { $0 < 0 ? nil : Int($0) }, address: address))
        }
        guard linkCount > 0 || addresses.allSatisfy({ $0.interface == nil }) else {
            throw CNIError(.invalidConfig, "prevResult.ips: an address names a link, and none is listed")
        }
        return addresses
    }
}
