import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import NodeStore
import PodPlan

/// CHECK: whether what the ADD made is still so. It changes nothing, and names all that it finds.
struct CheckCommand {
    private let call: PluginCall

    init(_ call: PluginCall) {
        self.call = call
    }

    /// Holds the link, its surroundings, the record and the block against the plan of the ADD and its result.
    /// - Throws: error 7 without a `prevResult`, 999 naming every difference.
    func run() throws {
        let previous = try PreviousResult(call.config.previousResult)
        guard let alias = LinkAlias(call.key) else {
            throw CNIError(.invalidEnvironment, "CNI_CONTAINERID: too long for any ADD", details: "\(call.key)")
        }
        let sandbox = try call.openSandbox(notIn: try NetNS.current().inode)
        let record = try call.store.attachment(call.key)
        let listed = previous.containerLink(call.key.ifName)
        let link = PodLink(
            alias: alias, hostName: hostName(record, previous), addresses: addresses(record, previous),
            mtuBytes: try mtuBytes(record, listed), podMAC: listed?.macAddress, destinations: destinations(previous))
        let plan = try PodPlan(link, observed: .absent, hostHasIPv6: try FileStatus.of("/proc/sys/net/ipv6") != nil)
        let settings = plan.steps.flatMap { step -> [HostSetting] in
            if case .configureHost(let end) = step { end.settings } else { [] }
        }
        var observer = try PodObserver(sandbox: sandbox)
        let observed = try observer.observe(link, settings: settings)
        let changes = LaterChanges(mtuBytes: listed?.mtuBytes, macAddress: listed?.macAddress)
        var findings = plan.differences(from: observed, after: changes).map(\.description)
        findings += resultFindings(previous, link, observed) + (try recordFindings(record, link.addresses))
        findings += delegateFindings()
        try report(findings)
    }

    /// Holds an IPAM plugin's record against the result.
    func checkAddresses() throws {
        let previous = try PreviousResult(call.config.previousResult)
        let record = try call.store.attachment(call.key)
        try report(try recordFindings(record, previous.addresses(of: call.key.ifName).map(\.address)))
    }

    private func report(_ findings: [String]) throws(CNIError) {
        var seen: Set<String> = []
        let unique = findings.filter { seen.insert($0).inserted }
        guard !unique.isEmpty else { return }
        throw CNIError(.failed, "CHECK \(call.key): " + unique.joined(separator: "; "))
    }

    /// The record knows it; where it is lost the result does, and where that is odd the key does.
    private func hostName(_ record: Attachment?, _ previous: PreviousResult) -> String {
        if let record, !record.hostLink.isEmpty { return record.hostLink }
        if let link = previous.interfaces.first(where: { $0.sandbox == nil && $0.name.hasPrefix("cali") }) {
            return link.name
        }
        let arguments = call.environment.arguments
        return HostLinkName.name(for: call.key, podNamespace: arguments.podNamespace, podName: arguments.podName)
    }

    /// What the IPAM plugin of somebody else has to say of its part.
    private func delegateFindings() -> [String] {
        do {
            try IPAMDelegate(call)?.call(.check)
            return []
        } catch {
            return [CNIError(error).message]
        }
    }

    /// Where the pod's own routes lead: those of the result that go through its gateways.
    private func destinations(_ previous: PreviousResult) -> [IPPrefix] {
        previous.routes.filter { $0.gateway == PodPlan.gateway($0.destination.family) }.map(\.destination)
    }

    private func addresses(_ record: Attachment?, _ previous: PreviousResult) -> [IPAddress] {
        if let record, !record.addresses.isEmpty { return record.addresses.map(\.address) }
        return previous.addresses(of: call.key.ifName).filter(\.isHost).map(\.address)
    }

    /// The node's own MTU may have changed since: it counts only where nothing else says what the ADD has set.
    private func mtuBytes(_ record: Attachment?, _ listed: PreviousResult.Interface?) throws -> UInt32 {
        if let mtu = record?.mtuBytes ?? listed?.mtuBytes ?? call.config.mtuBytes { return mtu }
        return try call.store.nodeState().map(call.podMTUBytes) ?? 1500
    }

    /// What the result lists of the pod's link and is not so. A later plugin may have put routes on links of its own.
    private func resultFindings(
        _ previous: PreviousResult, _ link: PodLink, _ observed: ObservedPod,
    ) -> [String] {
        var findings: [String] = []
        let name = link.podName
        if let listed = previous.containerLink(name) {
            if listed.sandbox != call.environment.netns {
                findings.append(
                    "prevResult: sandbox of \(name) is \(listed.sandbox ?? "none"), not CNI_NETNS "
                        + call.environment.netns)
            }
        } else {
            findings.append("prevResult: link \(name) of the container is not listed")
        }
        let addresses = previous.addresses(of: name)
        for address in link.addresses where !addresses.contains(where: { $0.address == address }) {
            findings.append("prevResult: address \(address) is not listed")
        }
        guard let pod = observed.pod else { return findings }
        for address in addresses where !pod.addresses.contains(address) {
            findings.append("address \(address) of pod link \(name) is missing")
        }
        for route in previous.routes {
            let isThere = pod.routes.contains { other in
                other.destination == route.destination
                    && (route.gateway == nil || other.hops.contains { $0.gateway == route.gateway })
            }
            guard !isThere else { continue }
            let gateway = route.gateway.map { " via \($0)" } ?? ""
            findings.append("pod route \(route.destination)\(gateway) dev \(name) is missing")
        }
        return findings
    }

    /// The record, and that the blocks know of every address of it.
    private func recordFindings(_ record: Attachment?, _ addresses: [IPAddress]) throws -> [String] {
        var findings: [String] = []
        if let record {
            if record.state != .complete {
                findings.append("allocation record is \(record.state.rawValue), not complete")
            }
            for address in addresses where !record.addresses.contains(address.hostPrefix) {
                findings.append("address \(address) of the allocation record is missing")
            }
        } else {
            findings.append("allocation record of \(call.key) is missing")
        }
        for address in addresses where try !call.store.isAllocated(address, to: call.key) {
            guard let block = try call.store.block(containing: address) else {
                // An address of another IPAM plugin need not be in a block of this node.
                if IPAMDelegate.isNamed(by: call.config) { continue }
                // Nor has a block a record that nobody has allocated from since the store was made again: it is made of
                // the attachments then.
                if record?.addresses.contains(address.hostPrefix) ?? false, try call.store.isSettled() { continue }
                findings.append("block record with \(address) is missing")
                continue
            }
            let owner = block.owner(of: address)
            guard owner != call.key else { continue }
            findings.append(
                "block record \(block.cidr): \(address) is \(owner.map { "allocated to \($0)" } ?? "not allocated")")
        }
        return findings
    }
}

extension CIDRAddress {
    fileprivate var isHost: Bool { length == address.family.bitWidth }
}
