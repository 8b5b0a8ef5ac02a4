package import NetTypes

/// What a pod is to have rather than just any: addresses, pools, a link-layer address.
///
/// The same wish may come in several ways. The first that says anything counts, and the others are not looked at:
/// the runtime's capability (`runtimeConfig.ips`, `.mac`), `args.cni`, CNI_ARGS (`IP`, `MAC`), and last the pod's
/// annotations. Pools are the other way round, as in Calico: the pod's annotation counts before `ipam.ipv4_pools`.
package struct PodRequests: Sendable, Equatable {
    /// The addresses, at most one of a family.
    package var addresses: [IPAddress] = []
    /// The link-layer address of the pod's end.
    package var macAddress: MACAddress?
    /// The pools to take addresses of a family from, in the order of preference; none listed is all.
    package var pools: [AddressFamily: [PoolReference]] = [:]
    /// The pools to take addresses from whose family is not said; it is the pool's own. Those of `pools` count before.
    package var poolsOfAnyFamily: [PoolReference] = []

    /// No wish.
    package init() {}

    /// Collects the wishes.
    ///
    /// - Parameter parseJSON: the value of an annotation's text; nil for what is no JSON.
    /// - Throws: error 7 for a wrong member or annotation, error 4 for a wrong item of CNI_ARGS.
    package init(
        _ config: NetworkConfig, _ arguments: CNIArguments, parseJSON: (String) -> JSONValue?,
    ) throws(CNIError) {
        let annotations = PodAnnotations(values: config.podAnnotations)
        try annotations.refuseUnserved(parseJSON)
        if !config.requestedAddresses.isEmpty {
            addresses = config.requestedAddresses
        } else if let text = arguments["IP"] {
            addresses = try Self.addresses(in: text)
        } else {
            addresses =
                try annotations.list("ipAddrs", expected: "a JSON list of addresses", parseJSON) { IPAddress($0) } ?? []
        }
        for family in AddressFamily.allCases where addresses.filter({ $0.family == family }).count > 1 {
            let all = addresses.map(\.description).joined(separator: ", ")
            throw CNIError(.invalidConfig, "\(all): a pod has one \(family.rawValue) address", details: all)
        }
        if let mac = config.requestedMAC {
            macAddress = mac
        } else if let text = arguments["MAC"] {
            guard let mac = MACAddress.ofStation(text) else {
                throw CNIError(.invalidEnvironment, "CNI_ARGS: MAC=\(text) is no unicast MAC address", details: text)
            }
            macAddress = mac
        } else {
            macAddress = try annotations.text("hwAddr", expected: "a unicast MAC address") { MACAddress.ofStation($0) }
        }
        for family in AddressFamily.allCases {
            let annotated = try annotations.list(
                "\(family.rawValue)pools", expected: "a JSON list of pool names or prefixes", parseJSON
            ) { PoolReference($0) }
            pools[family] = annotated ?? config.poolsOfFamily[family]
        }
        poolsOfAnyFamily = config.pools.map(PoolReference.name)
    }

    /// The address asked for of this family.
    package func address(_ family: AddressFamily) -> IPAddress? {
        addresses.first { $0.family == family }
    }

    private static func addresses(in text: String) throws(CNIError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for item in text.split(separator: ",") {
            guard let address = IPAddress(item) ?? CIDRAddress(item)?.address else {
                throw CNIError(.invalidEnvironment, "CNI_ARGS: IP=\(text) is no address", details: text)
            }
            addresses.append(address)
        }
        return addresses
    }
}

/// A pool as a configuration names it.
package enum PoolReference: Sendable, Hashable, CustomStringConvertible {
    /// By the IPPool's name.
    case name(String)
    /// By its network.
    case network(IPPrefix)

    /// A text with a slash is a network: a resource's name holds none.
    package init?(_ text: String) {
        if text.contains("/") {
            guard let prefix = IPPrefix(text) else { return nil }
            self = .network(prefix)
        } else if text.isEmpty {
            return nil
        } else {
            self = .name(text)
        }
    }

    /// The text.
    package var description: String {
        switch self {
        case .name(let name): name
        case .network(let prefix): prefix.description
        }
    }
}

/// The annotations of the pod that Apus knows: `cni.projectcalico.org/…`.
private struct PodAnnotations {
    private static let prefix = "cni.projectcalico.org/"
    /// What Calico does for a pod and Apus does not, in the order in which it is looked for. What Calico itself writes
    /// (`podIP`, `podIPs`, `containerID`) asks for nothing.
    private static let unserved = ["ipAddrsNoIpam", "floatingIPs", "allowedSourcePrefixes", "ipFamilies"]

    let values: [String: String]

    func list<Value>(
        _ name: String, expected: String, _ parseJSON: (String) -> JSONValue?, _ parse: (String) -> Value?,
    ) throws(CNIError) -> [Value]? {
        guard let text = values[Self.prefix + name], !text.isEmpty else { return nil }
        guard let elements = parseJSON(text)?.array else { throw wrong(name, expected, text) }
        let parsed = elements.compactMap { $0.string.flatMap(parse) }
        guard parsed.count == elements.count else { throw wrong(name, expected, text) }
        return parsed.isEmpty ? nil : parsed
    }

    func text<Value>(_ name: String, expected: String, _ parse: (String) -> Value?) throws(CNIError) -> Value? {
        guard let text = values[Self.prefix + name], !text.isEmpty else { return nil }
        guard let value = parse(text) else { throw wrong(name, expected, text) }
        return value
    }

    /// An empty list asks for nothing.
    func refuseUnserved(_ parseJSON: (String) -> JSONValue?) throws(CNIError) {
        for name in Self.unserved {
            guard let text = values[Self.prefix + name], !text.isEmpty, parseJSON(text)?.array?.isEmpty != true else {
                continue
            }
            throw CNIError(
                .invalidConfig, "annotation \(Self.prefix)\(name): Apus does nothing of the kind; take it off the pod",
                details: text)
        }
    }

    private func wrong(_ name: String, _ expected: String, _ text: String) -> CNIError {
        CNIError(.invalidConfig, "annotation \(Self.prefix)\(name): expected \(expected), found \(text)")
    }
}

extension MACAddress {
    /// Parses the address of one station; nil for any other, and for what is none.
    static func ofStation(_ text: String) -> MACAddress? {
        MACAddress(text).flatMap { $0.isUnicast ? $0 : nil }
    }
}
