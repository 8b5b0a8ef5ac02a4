import LinuxOS
import Logging
import NetTypes
import Resources

/// What the search for the node's own address has to remember.
struct AddressSearch {
    /// The last configuration that could be put in force, as it was read, before an address was put into it.
    var read: DecodedResources?
    /// What was found last.
    var found: [AddressFamily: CIDRAddress] = [:]
    /// What has been logged of what was found, so that it is logged once.
    var reported: [AddressFamily: String] = [:]
    /// What has been logged of a node with the same address, as long as there is one.
    var conflicts: [AddressFamily: String] = [:]
}

extension AgentOptions {
    /// Takes IP, IP6, their autodetection methods and the default pools from the environment of the process.
    ///
    /// - Returns: the variables of Calico's that mean nothing here, sorted.
    /// - Throws: `NodeAddressSource.Refusal` or `DefaultPools.Refusal` when one of them cannot be read.
    package mutating func readEnvironment() throws -> [String] {
        let environment = ProcessIO.environment()
        for family in AddressFamily.allCases {
            addressSources[family] = try NodeAddressSource(family, environment: environment)
        }
        defaultPools = try DefaultPools(environment: environment)
        return environment.keys.filter { name in
            (name.hasPrefix("CALICO_") || name.hasPrefix("FELIX_")) && !DefaultPools.variables.contains(name)
        }.sorted()
    }
}

// The node's own address, where the Node resource does not say it.
extension NodeController {
    /// How often the address is looked for again: nothing tells of a route that changes what `can-reach` finds.
    private static let lookInterval = Duration.seconds(5)

    func repeatAddressLooks() async {
        guard !options.addressSources.isEmpty else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.lookInterval)
            if !Task.isCancelled { lookForAddress() }
        }
    }

    /// The configuration with the node's own addresses in it, and with the pools that it has if it names none.
    func located(_ decoded: DecodedResources) async -> DecodedResources {
        var located = decoded
        for family in AddressFamily.allCases {
            guard let source = options.addressSources[family] else { continue }
            switch source {
            case .none: located.configuration = decoded.configuration.replacing(family, of: options.nodeName, by: nil)
            case .fixed(let address): put(address, family, into: &located)
            case .resource, .detected:
                let configured = decoded.configuration.node(options.nodeName)?.address(family)
                guard let detection = source.detection(family, configured: configured) else { continue }
                if let found = await detect(family, by: detection) {
                    put(Node.Address(found.address, length: found.length), family, into: &located)
                }
            }
        }
        return pooled(located)
    }

    /// Looks again, and acts only if something else is found.
    func followAddress() async {
        guard let read = addressSearch.read else { return }
        let before = addressSearch.found
        let now = await located(read)
        if addressSearch.found != before { await adopt(now) }
    }

    /// Two nodes with one address would both answer for it.
    private func put(_ address: Node.Address, _ family: AddressFamily, into decoded: inout DecodedResources) {
        let other = decoded.configuration.nodes.first { node in
            node.name != options.nodeName && node.addresses.contains { $0.address == address.address }
        }
        guard let other else {
            addressSearch.conflicts[family] = nil
            decoded.configuration = decoded.configuration.replacing(family, of: options.nodeName, by: address)
            return
        }
        let text =
            "the node's address \(address.address) is that of Node/\(other.name) too; Node/\(options.nodeName) does not "
            + "use it"
        if addressSearch.conflicts.updateValue(text, forKey: family) != text { logger.error("\(text)") }
    }

    /// What is found now; what was found before where there is nothing now, as when a link is down for a moment.
    private func detect(_ family: AddressFamily, by detection: AddressDetection) async -> CIDRAddress? {
        var source: IPAddress?
        if case .canReach(let address) = detection { source = await kernel.sourceAddress(towards: address) }
        let candidates = await kernel.addressCandidates()
        let kept = addressSearch.found[family]
        guard let found = detection.choose(family, among: candidates, source: source, former: kept) else {
            say(
                "no \(family == .ipv4 ? "IPv4" : "IPv6") address is found by \(detection)"
                    + (kept.map { "; \($0) is kept" } ?? ""), family, isError: true)
            return kept
        }
        addressSearch.found[family] = found
        say("the node's address is \(found)", family, isError: false)
        return found
    }

    private func say(_ text: String, _ family: AddressFamily, isError: Bool) {
        guard addressSearch.reported[family] != text else { return }
        addressSearch.reported[family] = text
        if isError { logger.error("\(text)") } else { logger.notice("\(text)") }
    }
}
