package import NetTypes

extension CNIResult {
    /// The result as it is printed in `version`, after what the plugins before this one have made.
    ///
    /// - Parameter previous: `prevResult` of the configuration. It is passed on as it is, this result's parts behind
    ///   its own, and the numbers of links count on.
    /// - Throws: error 1 if the version has no form for the result: before 0.3.0 there is none without an address.
    package func json(version: CNIVersion, after previous: JSONValue? = nil) throws(CNIError) -> JSONValue {
        switch version.resultForm {
        case .perFamily:
            return .object(try perFamilyMembers(version))
        case .addressesWithVersion, .addresses, .addressesWithDetails:
            return .object(members(version, after: previous?.object ?? JSONObject()))
        }
    }

    private func members(_ version: CNIVersion, after previous: JSONObject) -> JSONObject {
        var object = previous
        object["cniVersion"] = .string(version.rawValue)
        let links = previous.lenient("interfaces")?.array ?? []
        let ownLinks = interfaces.map { $0.json(version.resultForm) }
        let ownAddresses = addresses.map { $0.json(version.resultForm, firstLink: links.count) }
        Self.append(ownLinks, to: "interfaces", of: &object)
        Self.append(ownAddresses, to: "ips", of: &object)
        Self.append(routes.map(\.json), to: "routes", of: &object)
        let dns = dns.members
        if !dns.members.isEmpty {
            object["dns"] = .object(dns)
        } else if version.resultForm == .addressesWithVersion, object["dns"] == nil {
            object["dns"] = .object(JSONObject())
        }
        return object
    }

    private static func append(_ elements: [JSONValue], to name: String, of object: inout JSONObject) {
        let all = (object.lenient(name)?.array ?? []) + elements
        if !all.isEmpty { object[name] = .array(all) }
    }

    /// The first address of each family, with the routes of that family; links have no place.
    private func perFamilyMembers(_ version: CNIVersion) throws(CNIError) -> JSONObject {
        var object: JSONObject = ["cniVersion": .string(version.rawValue)]
        for (name, family) in [("ip4", AddressFamily.ipv4), ("ip6", .ipv6)] {
            guard let address = addresses.first(where: { $0.address.address.family == family }) else { continue }
            var part: JSONObject = ["ip": .string(address.address.description)]
            if let gateway = address.gateway { part["gateway"] = .string(gateway.description) }
            let routes = routes.filter { $0.destination.family == family }
            if !routes.isEmpty { part["routes"] = .array(routes.map(\.json)) }
            object[name] = .object(part)
        }
        guard object.members.count > 1 else {
            throw CNIError(.incompatibleVersion, "cniVersion \(version) has no form for a result without an address")
        }
        object["dns"] = .object(dns.members)
        return object
    }
}

extension CNIResult.Interface {
    fileprivate func json(_ form: CNIVersion.ResultForm) -> JSONValue {
        var object: JSONObject = ["name": .string(name)]
        if let macAddress { object["mac"] = .string(macAddress.description) }
        if form == .addressesWithDetails, let mtuBytes { object["mtu"] = .int(Int64(mtuBytes)) }
        if let sandbox { object["sandbox"] = .string(sandbox) }
        return .object(object)
    }
}

extension CNIResult.Address {
    fileprivate func json(_ form: CNIVersion.ResultForm, firstLink: Int) -> JSONValue {
        var object = JSONObject()
        if form == .addressesWithVersion { object["version"] = address.address.family == .ipv4 ? "4" : "6" }
        if let interface { object["interface"] = .int(Int64(firstLink + interface)) }
        object["address"] = .string(address.description)
        if let gateway { object["gateway"] = .string(gateway.description) }
        return .object(object)
    }
}

extension CNIResult.Route {
    fileprivate var json: JSONValue {
        var object: JSONObject = ["dst": .string(destination.description)]
        if let gateway { object["gw"] = .string(gateway.description) }
        return .object(object)
    }
}
