package import NetTypes

/// The network configuration a runtime passes on stdin, as far as Apus reads it.
package struct NetworkConfig: Sendable, Equatable {
    /// The version that the answer must have.
    package var version: CNIVersion
    /// The network's name.
    package var name: String
    /// `mode`, the mode that the pool must have; nil for any.
    package var mode: String?
    /// `encapsulation`, the inner mode of `crosssubnet` for a default pool.
    package var encapsulation: String?
    /// `mtu` of the pod's link in octets; nil to derive it from the node's.
    package var mtuBytes: UInt32?
    /// `runDir`; nil for the default.
    package var runDirectory: String?
    /// `ipam.type`.
    package var ipamType: String?
    /// `ipam.pools`, the names of the pools allowed; empty for all.
    package var pools: [String]
    /// `ipam.routes`, which the IPAM plugin passes on to its caller.
    package var ipamRoutes: [CNIResult.Route]
    /// The addresses asked for by capability `ips` or `args.cni.ips`.
    package var requestedAddresses: [IPAddress]
    /// `dns`, passed on to the result.
    package var dns: CNIResult.DNS
    /// The result of the plugins before this one, in the configuration's version.
    package var previousResult: JSONValue?
    /// What GC is to keep; nil for another command, or if nobody has said.
    package var validAttachments: ValidAttachments?
    /// `logLevel`.
    package var logLevel: LogLevel
    /// `logFile`; nil for standard error alone.
    package var logFile: String?

    /// How much is logged.
    package enum LogLevel: String, Sendable, Hashable, CaseIterable {
        case debug
        case info
        case warning
        case error
    }

    /// Reads the configuration of `command`. Unknown members are ignored.
    ///
    /// DEL reads a member of a wrong type as absent, except those that name the version and the network.
    /// - Throws: error 7 naming the member that is missing or wrong, error 1 for a version that is not supported or has
    ///   no such command.
    package init(_ json: JSONValue, for command: CNICommand) throws(CNIError) {
        guard let object = json.object else {
            throw CNIError(.invalidConfig, "the network configuration is \(json.kind), not an object")
        }
        version = try Self.version(of: object, for: command)
        name = try ConfigReader(object, isForgiving: false).string("name") ?? ""
        guard CNIEnvironment.isIdentifier(name) else {
            throw CNIError(
                .invalidConfig,
                name.isEmpty
                    ? "name: missing" : "name: only letters, digits, '.', '_' and '-', the first a letter or digit",
                details: name)
        }
        let reader = ConfigReader(object, isForgiving: command == .delete)
        let ipam = try reader.inner("ipam")
        // The IPAM plugin is given the whole configuration of the plugin that calls it; what is said for it is in `ipam`.
        let (outerMode, outerRunDirectory) = (try reader.string("mode"), try Self.absolutePath("runDir", reader))
        mode = try ipam.string("mode") ?? outerMode
        encapsulation = try reader.string("encapsulation")
        mtuBytes = try Self.mtuBytes(reader)
        runDirectory = try Self.absolutePath("runDir", ipam) ?? outerRunDirectory
        ipamType = try ipam.string("type")
        pools = try ipam.list("pools", expected: "a list of pool names") { $0 }
        ipamRoutes = try Self.routes(ipam)
        requestedAddresses = try Self.requestedAddresses(reader)
        dns = try CNIResult.DNS(reader.inner("dns"))
        previousResult = reader.value("prevResult")
        validAttachments = command == .collectGarbage ? try ValidAttachments(reader) : nil
        let levels = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
        logLevel =
            try reader.parsed("logLevel", expected: "one of \(levels)") { LogLevel(rawValue: $0.lowercased()) } ?? .info
        logFile = try Self.absolutePath("logFile", reader)
    }

    /// The version a configuration asks for, whatever else is wrong with it: for the error object.
    package static func statedVersion(of json: JSONValue?) -> CNIVersion? {
        json?.object?.lenient("cniVersion")?.string.flatMap(CNIVersion.init(rawValue:))
    }

    private static func version(of object: JSONObject, for command: CNICommand) throws(CNIError) -> CNIVersion {
        let supported = "supported: " + CNIVersion.allCases.map(\.rawValue).joined(separator: ", ")
        let text = try ConfigReader(object, isForgiving: false).string("cniVersion") ?? ""
        guard let version = text.isEmpty ? CNIVersion.unstated : CNIVersion(rawValue: text) else {
            throw CNIError(.incompatibleVersion, "cniVersion: \"\(text)\" is not supported", details: supported)
        }
        guard version >= command.since else {
            throw CNIError(
                .incompatibleVersion, "\(command.rawValue) needs cniVersion \(command.since) or later, not \(version)",
                details: supported)
        }
        return version
    }

    /// Zero counts as absent, as with the reference plugins. 68 is the least MTU of IPv4 (RFC 791).
    private static func mtuBytes(_ reader: ConfigReader) throws(CNIError) -> UInt32? {
        guard let mtu = try reader.integer("mtu", in: 68...65535, or: 0), mtu != 0 else { return nil }
        return UInt32(mtu)
    }

    private static func absolutePath(_ key: String, _ reader: ConfigReader) throws(CNIError) -> String? {
        try reader.parsed(key, expected: "an absolute path") { path in
            path.hasPrefix("/") && !path.unicodeScalars.contains("\0") ? path : nil
        }
    }

    private static func routes(_ ipam: ConfigReader) throws(CNIError) -> [CNIResult.Route] {
        var routes: [CNIResult.Route] = []
        for route in try ipam.objects("routes") {
            let destination = try route.parsed("dst", expected: "a prefix") { CIDRAddress($0)?.network }
            let gateway = try route.parsed("gw", expected: "an address") { IPAddress($0) }
            if let destination { routes.append(CNIResult.Route(destination: destination, gateway: gateway)) }
        }
        return routes
    }

    /// Capability `ips` counts before `args.cni.ips`; a prefix length is dropped, because a pod's is always the whole.
    private static func requestedAddresses(_ reader: ConfigReader) throws(CNIError) -> [IPAddress] {
        func address(_ text: String) -> IPAddress? {
            IPAddress(text) ?? CIDRAddress(text)?.address
        }
        let expected = "a list of addresses"
        let capability = try reader.inner("runtimeConfig").list("ips", expected: expected, address)
        if !capability.isEmpty { return capability }
        return try reader.inner("args").inner("cni").list("ips", expected: expected, address)
    }
}
