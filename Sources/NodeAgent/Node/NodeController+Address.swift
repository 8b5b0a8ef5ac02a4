import LinuxOS
import Logging
import NetTypes
import NodeLink
import Resources

/// What the search for the node's own address has to remember.
struct AddressSearch {
    /// The last configuration that could be put in force, as it was read, before an address was put into it.
    var read: DecodedResources?
    /// What was found last.
    var found: [AddressFamily: CIDRAddress] = [:]
    /// What has been logged, so that it is logged once.
    var reported: [AddressFamily: String] = [:]
    /// What is wrong with an address, or that there is none.
    var faults: [AddressFamily: DaemonFault] = [:]
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
            case .fixed(let address):
                if put(address, family, into: &located) { await doubt(address, family) }
            case .resource, .detected:
                let configured = decoded.configuration.node(options.nodeName)?.address(family)
                guard let detection = source.detection(family, configured: configured) else {
                    forgive(family)
                    continue
                }
                guard let (found, isKept) = await detect(family, by: detection) else { continue }
                let isUsed = put(Node.Address(found.address, length: found.length), family, into: &located)
                if isUsed, !isKept { say("the node's address is \(found)", family) }
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

    /// What is wrong with the addresses that the environment gives or has searched for.
    var addressFaults: [DaemonFault] { AddressFamily.allCases.compactMap { addressSearch.faults[$0] } }

    /// An address that the environment gives is used, be it on a link or not: it may come later.
    private func doubt(_ address: Node.Address, _ family: AddressFamily) async {
        let links = await kernel.nodeLinks()
        let isThere = links.contains { $0.addresses.contains { $0.address == address.address } }
        guard !isThere else { return forgive(family) }
        say(
            "\(family.addressVariable)=\(address.address) of apusd's environment is on no link of the node: no peer "
                + "reaches it there", family,
            fault: (
                "\(address.address)",
                "correct or remove \(family.addressVariable) in apusd's environment and restart "
                    + "it (systemctl edit apusd), or give a link the address (ip address add)"
            ))
    }

    /// Two nodes with one address would both answer for it.
    ///
    /// - Returns: whether the node has the address.
    private func put(
        _ address: Node.Address, _ family: AddressFamily, into decoded: inout DecodedResources,
    ) -> Bool {
        let other = decoded.configuration.nodes.first { node in
            node.name != options.nodeName && node.addresses.contains { $0.address == address.address }
        }
        if let other {
            say(
                "the node's address \(address.address) is that of Node/\(other.name) too; Node/\(options.nodeName) "
                    + "does not use it", family,
                fault: (
                    "\(address.address)",
                    "correct \(family.addressVariable) in apusd's environment, which gives or "
                        + "finds it, or Node/\(other.name)"
                ))
            return false
        }
        decoded.configuration = decoded.configuration.replacing(family, of: options.nodeName, by: address)
        return true
    }

    /// What is found now; what was found before where there is nothing now, as when a link is down for a moment.
    private func detect(
        _ family: AddressFamily, by detection: AddressDetection,
    ) async -> (address: CIDRAddress, isKept: Bool)? {
        var source: IPAddress?
        if case .canReach(let address) = detection { source = await kernel.sourceAddress(towards: address) }
        let candidates = await kernel.addressCandidates()
        let kept = addressSearch.found[family]
        guard let found = detection.choose(family, among: candidates, source: source, former: kept) else {
            say(
                "no \(family == .ipv4 ? "IPv4" : "IPv6") address is found by \(detection)"
                    + (kept.map { "; \($0) is kept" } ?? ""), family,
                fault: (
                    kept.map { "\($0.address)" } ?? family.addressVariable,
                    "give a link such an address, or set \(family.addressVariable)_AUTODETECTION_METHOD in apusd's "
                        + "environment, or the address in the Node resource"
                ))
            return kept.map { ($0, true) }
        }
        addressSearch.found[family] = found
        return (found, false)
    }

    /// - Parameter fault: what is wrong, and what to do about it; nil when nothing is.
    private func say(_ text: String, _ family: AddressFamily, fault: (subject: String, remedy: String)? = nil) {
        addressSearch.faults[family] = fault.map {
            DaemonFault(subject: $0.subject, problem: text, remedy: $0.remedy)
        }
        guard addressSearch.reported[family] != text else { return }
        addressSearch.reported[family] = text
        if fault != nil { logger.error("\(text)") } else { logger.notice("\(text)") }
    }

    /// Nothing is wrong with the address any more; when something is again it is said again.
    private func forgive(_ family: AddressFamily) {
        addressSearch.faults[family] = nil
        addressSearch.reported[family] = nil
    }
}

extension AddressFamily {
    /// The variable of the environment that gives the node's address.
    fileprivate var addressVariable: String { self == .ipv4 ? "IP" : "IP6" }
}
