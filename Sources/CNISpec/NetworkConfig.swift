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
    /// `ipam.ipv4_pools` and `ipam.ipv6_pools`; a family without an entry has none listed.
    package var poolsOfFamily: [AddressFamily: [PoolReference]]
    /// `ipam.assign_ipv4` and `ipam.assign_ipv6`; a family without an entry is left to the pools.
    package var assignsFamily: [AddressFamily: Bool]
    /// The addresses asked for by capability `ips` or `args.cni.ips`.
    package var requestedAddresses: [IPAddress]
    /// The link-layer address asked for by capability `mac` or `args.cni.mac`.
    package var requestedMAC: MACAddress?
    /// The pod's annotations, as containerd hands them over (`io.kubernetes.cri.pod-annotations`).
    package var podAnnotations: [String: String]
    /// The members of `runtimeConfig` that ask for something Apus does not do.
    package var unservedCapabilities: [String]
    /// `container_settings.allow_ip_forwarding`; nil to leave the pod as it is.
    package var allowsForwarding: Bool?
    /// `dns`, or what the capability `dns` has in its place, passed on to the result.
    package var dns: CNIResult.DNS
    /// The result of the plugins before this one, in the configuration's version.
    package var previousResult: JSONValue?
    /// What GC is to keep; nil for another command, or if nobody has said.
    package var validAttachments: ValidAttachments?
    /// `logLevel`.
    package var logLevel: LogLevel
    /// `logFile`; nil for standard error alone.
    package var logFile: String?
    /// `logFileMaxBytes`, the size at which a log file is put aside.
    package var logFileMaxBytes: Int64
    /// `logFileMaxCount`, how many of those that were put aside are kept.
    package var logFileMaxCount: Int

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
    ///
    /// - Parameter isForAnother: whether another plugin handed its own configuration on, as to an IPAM plugin. What
    ///   stands outside of `ipam` may then be a word of that plugin's: the `mode` of a macvlan.
    /// - Throws: error 7 naming the member that is missing or wrong, error 1 for a version that is not supported or has
    ///   no such command.
    package init(_ json: JSONValue, for command: CNICommand, isForAnother: Bool = false) throws(CNIError) {
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
        let outerMode = isForAnother ? nil : try reader.string("mode")
        let outerRunDirectory = try Self.runDirectory(reader)
        mode = try ipam.string("mode") ?? outerMode
        encapsulation = try reader.parsed("encapsulation", expected: "ipip or vxlan") { text in
            isForAnother || text == "ipip" || text == "vxlan" ? text : nil
        }
        mtuBytes = isForAnother ? nil : try Self.mtuBytes(reader)
        runDirectory = try Self.runDirectory(ipam) ?? outerRunDirectory
        ipamType = try ipam.string("type")
        pools = try ipam.list("pools", expected: "a list of pool names") { $0 }
        ipamRoutes = try CNIResult.Route.list(ipam)
        poolsOfFamily = try Self.poolsOfFamily(ipam)
        assignsFamily = try Self.assignsFamily(ipam)
        let wishes = try RuntimeConfig(reader)
        requestedAddresses = wishes.addresses
        requestedMAC = wishes.macAddress
        podAnnotations = wishes.podAnnotations
        unservedCapabilities = isForAnother ? [] : wishes.unserved
        allowsForwarding =
            isForAnother ? nil : try reader.inner("container_settings").bool("allow_ip_forwarding")
        let statedDNS = try CNIResult.DNS(reader.inner("dns"))
        dns = wishes.dns ?? statedDNS
        previousResult = reader.value("prevResult")
        // Before 0.3.0 it is no part of a configuration. What CHECK needs of it CHECK says.
        if command == .add, !isForAnother, version.resultForm != .perFamily { _ = try reader.inner("prevResult") }
        validAttachments = command == .collectGarbage ? try ValidAttachments(reader) : nil
        // That plugin's log is its own, as is the way it is rotated.
        let log = isForAnother ? ipam : reader
        var levels: String { LogLevel.allCases.map(\.rawValue).joined(separator: ", ") }
        logLevel =
            try log.parsed("logLevel", expected: "one of \(levels)") { LogLevel(rawValue: $0.lowercased()) } ?? .info
        logFile = try Self.absolutePath("logFile", log)
        logFileMaxBytes = try log.integer("logFileMaxBytes", in: 4096...(1 << 40)) ?? 10 << 20
        logFileMaxCount = Int(try log.integer("logFileMaxCount", in: 1...1000) ?? 3)
    }

    /// The version a configuration asks for, whatever else is wrong with it: for the error object.
    package static func statedVersion(of json: JSONValue?) -> CNIVersion? {
        json?.object?.lenient("cniVersion")?.string.flatMap(CNIVersion.init(rawValue:))
    }

    private static func version(of object: JSONObject, for command: CNICommand) throws(CNIError) -> CNIVersion {
        var supported: String { "supported: " + CNIVersion.allCases.map(\.rawValue).joined(separator: ", ") }
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

    /// The daemon's socket, `/apusd.sock`, is in it, and the address of a Unix socket has room for 107 octets (unix(7)).
    private static func runDirectory(_ reader: ConfigReader) throws(CNIError) -> String? {
        _ = try absolutePath("runDir", reader)
        return try reader.parsed("runDir", expected: "a path of at most 96 octets, which apusd's socket has room in") {
            $0.utf8.count <= 96 ? $0 : nil
        }
    }

    private static func poolsOfFamily(_ ipam: ConfigReader) throws(CNIError) -> [AddressFamily: [PoolReference]] {
        var pools: [AddressFamily: [PoolReference]] = [:]
        for family in AddressFamily.allCases {
            let key = "\(family.rawValue)_pools"
            let listed = try ipam.list(key, expected: "a list of names or prefixes of pools") { PoolReference($0) }
            for case .network(let prefix) in listed where prefix.family != family {
                throw CNIError(.invalidConfig, "ipam.\(key): \(prefix) is no \(family.rawValue) network")
            }
            if !listed.isEmpty { pools[family] = listed }
        }
        return pools
    }

    /// Calico writes these as strings.
    private static func assignsFamily(_ ipam: ConfigReader) throws(CNIError) -> [AddressFamily: Bool] {
        var assigns: [AddressFamily: Bool] = [:]
        for (family, key) in [(AddressFamily.ipv4, "assign_ipv4"), (.ipv6, "assign_ipv6")] {
            assigns[family] = try ipam.bool(key)
        }
        return assigns
    }
}
