package import NetTypes

/// What an IPAM plugin has answered to ADD, in whichever version's form.
package struct IPAMResult: Sendable, Equatable {
    /// The addresses, each with its gateway if it has one.
    package var addresses: [CNIResult.Address]
    /// The routes.
    package var routes: [CNIResult.Route]
    /// The resolver's settings.
    package var dns: CNIResult.DNS

    /// Reads the answer: `ips`, or `ip4` and `ip6` from before 0.3.0.
    /// - Throws: error 6 naming what is missing or wrong.
    package init(_ json: JSONValue) throws(CNIError) {
        guard let object = json.object else {
            throw CNIError(.decode, "the result of the IPAM plugin is \(json.kind), not an object")
        }
        do throws(CNIError) {
            let reader = ConfigReader(object, isForgiving: false)
            addresses = []
            routes = try CNIResult.Route.list(reader)
            for address in try reader.objects("ips") { addresses.append(try Self.address(address, key: "address")) }
            for key in ["ip4", "ip6"] where reader.value(key) != nil {
                let part = try reader.inner(key)
                addresses.append(try Self.address(part, key: "ip"))
                routes += try CNIResult.Route.list(part)
            }
            dns = try CNIResult.DNS(reader.inner("dns"))
        } catch {
            throw CNIError(.decode, "the result of the IPAM plugin: \(error.message)", details: error.details)
        }
        guard !addresses.isEmpty else {
            throw CNIError(.decode, "the result of the IPAM plugin holds no address")
        }
    }

    private static func address(_ reader: ConfigReader, key: String) throws(CNIError) -> CNIResult.Address {
        let parsed = try reader.parsed(key, expected: "an address with its prefix length") { CIDRAddress($0) }
        guard let address = parsed else { throw CNIError(.decode, "\(key) is missing") }
        let gateway = try reader.parsed("gateway", expected: "an address") { IPAddress($0) }
        return CNIResult.Address(address: address, gateway: gateway)
    }
}

extension CNIResult.Route {
    /// The member `routes` of a configuration's `ipam` or of a result.
    static func list(_ reader: ConfigReader) throws(CNIError) -> [CNIResult.Route] {
        var routes: [CNIResult.Route] = []
        for route in try reader.objects("routes") {
            let destination = try route.parsed("dst", expected: "a prefix") { CIDRAddress($0)?.network }
            let gateway = try route.parsed("gw", expected: "an address") { IPAddress($0) }
            if let destination { routes.append(CNIResult.Route(destination: destination, gateway: gateway)) }
        }
        return routes
    }
}
