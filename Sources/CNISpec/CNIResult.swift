package import NetTypes

/// What an ADD has made, for the runtime and the plugins after this one.
package struct CNIResult: Sendable, Equatable {
    /// A link.
    package struct Interface: Sendable, Equatable {
        /// Its name.
        package var name: String
        /// Its link-layer address.
        package var macAddress: MACAddress?
        /// Its MTU in octets; only version 1.1.0 has a place for it.
        package var mtuBytes: UInt32?
        /// The path of the container's namespace, verbatim from CNI_NETNS; nil for a link of the host.
        package var sandbox: String?

        /// Makes a link.
        package init(name: String, macAddress: MACAddress?, mtuBytes: UInt32? = nil, sandbox: String? = nil) {
            self.name = name
            self.macAddress = macAddress
            self.mtuBytes = mtuBytes
            self.sandbox = sandbox
        }
    }

    /// An address.
    package struct Address: Sendable, Equatable {
        /// The place of its link in `interfaces`; nil in the result of an IPAM plugin.
        package var interface: Int?
        /// The address with its prefix length.
        package var address: CIDRAddress
        /// The gateway; nil where routes name it.
        package var gateway: IPAddress?

        /// Makes an address.
        package init(interface: Int? = nil, address: CIDRAddress, gateway: IPAddress? = nil) {
            self.interface = interface
            self.address = address
            self.gateway = gateway
        }
    }

    /// A route in the container.
    package struct Route: Sendable, Equatable {
        /// Where to.
        package var destination: IPPrefix
        /// The gateway.
        package var gateway: IPAddress?

        /// Makes a route.
        package init(destination: IPPrefix, gateway: IPAddress?) {
            self.destination = destination
            self.gateway = gateway
        }
    }

    /// The links.
    package var interfaces: [Interface]
    /// The addresses.
    package var addresses: [Address]
    /// The routes.
    package var routes: [Route]
    /// The resolver's settings.
    package var dns: DNS

    /// Makes a result.
    package init(
        interfaces: [Interface] = [], addresses: [Address], routes: [Route] = [], dns: DNS = DNS(),
    ) {
        self.interfaces = interfaces
        self.addresses = addresses
        self.routes = routes
        self.dns = dns
    }
}

extension CNIResult {
    /// The resolver's settings (`dns` of configuration and result).
    package struct DNS: Sendable, Equatable {
        /// The servers' addresses.
        package var nameservers: [String]
        /// The local domain.
        package var domain: String?
        /// The domains to search.
        package var search: [String]
        /// The options of resolv.conf(5).
        package var options: [String]

        /// Makes settings.
        package init(
            nameservers: [String] = [], domain: String? = nil, search: [String] = [], options: [String] = [],
        ) {
            self.nameservers = nameservers
            self.domain = domain
            self.search = search
            self.options = options
        }

        init(_ reader: ConfigReader) throws(CNIError) {
            nameservers = try reader.list("nameservers", expected: "a list of strings") { $0 }
            domain = try reader.string("domain")
            search = try reader.list("search", expected: "a list of strings") { $0 }
            options = try reader.list("options", expected: "a list of strings") { $0 }
        }

        /// The members that are set.
        var members: JSONObject {
            var object = JSONObject()
            if !nameservers.isEmpty { object["nameservers"] = .array(nameservers.map(JSONValue.string)) }
            if let domain, !domain.isEmpty { object["domain"] = .string(domain) }
            if !search.isEmpty { object["search"] = .array(search.map(JSONValue.string)) }
            if !options.isEmpty { object["options"] = .array(options.map(JSONValue.string)) }
            return object
        }
    }
}
