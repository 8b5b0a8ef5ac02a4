import NetTypes

/// What the runtime fills in by capability (`runtimeConfig`), and `args.cni`, which says the same of two of them.
struct RuntimeConfig {
    /// `ips`. A prefix length is dropped, because a pod's is always the whole.
    let addresses: [IPAddress]
    /// `mac`.
    let macAddress: MACAddress?
    /// `dns`; nil when it holds nothing.
    let dns: CNIResult.DNS?
    /// `io.kubernetes.cri.pod-annotations`.
    let podAnnotations: [String: String]
    /// The members that Apus has nothing for and that ask for something.
    let unserved: [String]

    private static let annotationsKey = "io.kubernetes.cri.pod-annotations"
    private static let served = ["ips", "mac", "dns", annotationsKey]

    /// Reads both out of the configuration.
    init(_ config: ConfigReader) throws(CNIError) {
        let capabilities = try config.inner("runtimeConfig")
        let arguments = try config.inner("args").inner("cni")
        let asked = try Self.addresses(capabilities)
        addresses = asked.isEmpty ? try Self.addresses(arguments) : asked
        if let mac = try Self.mac(capabilities) {
            macAddress = mac
        } else {
            macAddress = try Self.mac(arguments)
        }
        podAnnotations = try capabilities.texts(Self.annotationsKey)
        let dns = try capabilities.inner("dns")
        let settings = CNIResult.DNS(
            nameservers: try dns.list("servers", expected: "a list of strings") { $0 },
            search: try dns.list("searches", expected: "a list of strings") { $0 },
            options: try dns.list("options", expected: "a list of strings") { $0 })
        self.dns = settings.members.members.isEmpty ? nil : settings
        unserved = capabilities.names.filter { name in
            !Self.served.contains(name.lowercased()) && capabilities.value(name).map(Self.asksForSomething) ?? false
        }
    }

    private static func addresses(_ reader: ConfigReader) throws(CNIError) -> [IPAddress] {
        try reader.list("ips", expected: "a list of addresses") { IPAddress($0) ?? CIDRAddress($0)?.address }
    }

    /// An empty text counts as absent: runtimes send it for a container without a wish.
    private static func mac(_ reader: ConfigReader) throws(CNIError) -> MACAddress? {
        guard try reader.string("mac") != "" else { return nil }
        return try reader.parsed("mac", expected: "a unicast MAC address") { MACAddress.ofStation($0) }
    }

    /// Runtimes fill a capability in for every container; an empty list, an empty text or nothing but zeros is no wish.
    private static func asksForSomething(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false): false
        case .bool(true): true
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object(let object): object.members.contains { asksForSomething($0.value) }
        }
    }
}
