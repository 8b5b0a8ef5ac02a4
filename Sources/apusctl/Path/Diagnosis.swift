import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeLink
import NodeStore

/// What is wrong with a node, as far as its daemon and its kernel show it, each finding with what to do about it.
struct Diagnosis {
    /// One thing that is wrong.
    struct Finding: Equatable {
        /// What.
        var problem: String
        /// What to do.
        var remedy: String

        /// The finding as JSON.
        var json: JSONValue { ["problem": .string(problem), "remedy": .string(remedy)] }
    }

    /// Everything that was found.
    private(set) var findings: [Finding] = []
    /// What could not be looked at, and why, and what is nobody's fault.
    private(set) var notes: [String] = []

    /// Looks at nothing yet.
    init() {}

    /// Looks at everything.
    ///
    /// - Parameter account: what the daemon answers; nil when it does not. Then the kernel alone is looked at.
    init(node: NodeKernel, account: Account?) throws {
        if let account { check(account, node) }
        checkForwarding(node)
        do throws(NetlinkError) {
            checkForwardChains(try node.forwardChains(), pools: node.state.pools.map(\.cidr))
        } catch {
            notes.append("the firewalls of other programs could not be read: \(error)")
        }
        try checkTunnels(node, account)
        checkReversePath(node, account)
        checkMTU(
            of: node.links.values, hostMTUBytes: node.hostMTUBytes(isFollowed: account != nil),
            podMTUBytes: node.state.podMTUBytes)
        checkPods(node)
        checkRecords(node.unreadable)
        checkAddresses(node)
        if let listening = account?.status.listening { checkPort(listening, node.listeners()) }
    }

    /// Looks at the daemon's account alone.
    init(account: Account) {
        check(account, nil)
    }

    /// Looks at what the daemon says of its configuration alone.
    init(status: StatusAnswer) {
        checkConfiguration(status)
    }

    private mutating func check(_ account: Account, _ node: NodeKernel?) {
        checkVersion(account.status.node)
        checkConfiguration(account.status)
        for fault in account.status.faults { add(fault.problem, fault.remedy) }
        checkOverlaps(account.status)
        checkDoubts(account.status)
        if let node { checkOwnAddresses(account, node) }
        checkKeys(account.status)
        checkSessions(account)
        if let node { checkSignatures(account.status.peers, node.tcpCounters()) }
        checkStaleRoutes(account)
        checkBlocks(account)
        checkModes(account)
        checkOffloads(account)
        checkRoutes(account.routes)
    }

    mutating func add(_ problem: String, _ remedy: String) {
        findings.append(Finding(problem: problem, remedy: remedy))
    }

    mutating func note(_ text: String) { notes.append(text) }

    private mutating func checkForwarding(_ node: NodeKernel) {
        for family in Set(node.state.pools.map(\.cidr.family)) where !node.forwards(family) {
            let name = family.forwardingSetting
            add(
                "IP forwarding is off: \(name) = 0",
                "sysctl -w \(name)=1, or start apusd without --no-manage-forwarding")
        }
    }

    private mutating func checkPods(_ node: NodeKernel) {
        for link in node.links.values.sorted(by: { $0.index < $1.index }) where link.isPod && !link.isUp {
            add(
                "\(link.name) is down: its pod is cut off",
                "ip link set \(link.name) up; apusd puts back the routes that it took along")
        }
        for pod in node.pods where pod.state == .complete {
            guard let link = node.links[pod.hostLinkIndex], link.isPod, link.isUp else { continue }
            for address in pod.addresses.map(\.address)
            where Self.isCutOff(isReached: { node.reaches(address, over: link) }, isThere: { node.isThere(pod) }) {
                add(
                    "packets for \(address) do not reach its pod: the route over \(link.name) is gone, or another one "
                        + "is before it",
                    "ip route get \(address) shows where they go; apusd puts the route back within a second while it "
                        + "runs, unless another program's is in its place: remove that")
            }
        }
    }

    /// Whether packets do not reach a pod. Records were read before routes are asked for, and pods go meanwhile: of one
    /// that seems cut off both are looked at once more.
    static func isCutOff(isReached: () -> Bool, isThere: () -> Bool) -> Bool {
        !isReached() && isThere() && !isReached()
    }

    private mutating func checkRecords(_ errors: [StoreError]) {
        for error in errors {
            guard case .corrupt(let path, let reason, let remedy) = error else {
                add("a record of the run directory cannot be read: \(error)", "see that the directory is whole")
                continue
            }
            add("\(path) cannot be read: \(reason)", remedy)
        }
    }
}
