import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import Netlink
import NodeLink
import NodeStore
import PodPlan

/// ADD: an address, a link, the daemon's consent. On any failure nothing is left behind.
struct AddCommand {
    /// What takes a step of the ADD back. The address goes last of all, and only if these succeed.
    private enum Inverse: Sendable {
        case pod(PodUndo)
        case withdraw(Endpoint)
        case giveBack

        var isOfLink: Bool { if case .pod = self { true } else { false } }
    }

    /// The ADD of another sandbox of the pod has made a link of the pod's name since that was looked for.
    private struct HostNameLost: Error {}

    /// How the host's end is to be called, and what has that name.
    private typealias HostName = (name: String, observed: ObservedLink)

    private let call: PluginCall
    private let daemon: DaemonLine
    private let desk: AttachmentDesk
    private let requests: PodRequests
    private let foreign: ForeignAddresses?
    private let trace: StepTrace

    init(_ call: PluginCall) throws {
        trace = StepTrace(call.log, "ADD", call.key)
        self.call = call
        daemon = try call.daemonLine()
        desk = AttachmentDesk(call)
        requests = try call.requests()
        foreign = try IPAMDelegate(call).map { ForeignAddresses(call, $0) }
    }

    /// Attaches the container and answers the result to print.
    ///
    /// - Parameter hostSocket: a socket in the host's namespace, if there is one; there is one afterwards unless something
    ///   has gone wrong.
    func run(_ hostSocket: inout NetlinkSocket?) throws -> JSONValue {
        guard let alias = LinkAlias(call.key) else {
            let isName = call.key.network.utf8.count > call.key.containerID.utf8.count
            throw CNIError(
                isName ? .invalidConfig : .invalidEnvironment,
                "\(isName ? "name" : "CNI_CONTAINERID"): too long: with the network's name and CNI_IFNAME it marks the "
                    + "pod's link, whose alias has \(LinkAlias.maximumLength) octets", details: "\(call.key)")
        }
        // What the configuration says is looked at before anything else is.
        _ = try call.requiredMode()
        let sandbox = try call.openSandbox(notIn: daemon.hello.netnsInode)
        let plan = AddressPlan(call, daemon: daemon, requests: requests, wantsGateway: false)
        let node = try call.nodeState()
        // Which families another IPAM plugin gives is its own affair.
        let basis = try foreign == nil ? plan.basis(node) : AddressPlan.Basis(node: node)
        try checkForwarding(basis, of: plan)
        var kernel = try PodKernel(sandbox: sandbox, home: call.input.server?.home, hostSocket: hostSocket.take())
        trace.ended("looking at what there is")
        if let since = call.input.lostSince { try removeLost(since) }
        // For a key that nobody has left anything of the name, and so all of the record, is known before it is claimed.
        let early = foreign == nil ? nameWithoutLink(alias, &kernel) : nil
        var file = try desk.claim(with: early.flatMap { plan.first(basis, hostLink: $0.name) })
        trace.ended("claiming the key")
        defer { trace.finish() }
        // What an ADD that was killed has left, or may have.
        let former = file.isNew ? "" : file.attachment.hostLink
        var undo = UndoStack<Inverse>()
        do {
            let known = file.isNew ? early : nil
            let deadline = BootClock.now() + HostLinks.markingTime
            let end = try known ?? hostEnd(alias, file.attachment.hostLink, &kernel, until: deadline)
            let result = try attach(alias, end, plan, basis, &file, &kernel, &undo)
            undo.commit()
            hostSocket = kernel.takeHostSocket()
            return result
        } catch {
            if takeBack(&undo, alias, former, &kernel) { release(file) }
            throw error
        }
    }

    /// The daemon has completed this very ADD and ended before it could say so: nobody has its result.
    private func removeLost(_ since: MonotonicTime) throws {
        guard let file = try desk.find() else { return }
        let attachment = file.attachment
        guard attachment.state == .complete, attachment.createdAt >= since else { return }
        call.log.write(.warning, "ADD \(call.key): apusd has carried it out and has not answered; beginning anew")
        try DeleteCommand(call).detach(file)
    }

    private func checkForwarding(_ basis: AddressPlan.Basis, of plan: AddressPlan) throws {
        try checkForwarding(basis.families.map(\.family)) { family in
            guard let node = basis.node, !node.pools.isEmpty,
                let mode = basis.families.first(where: { $0.family == family })?.mode
            else { return true }
            return try !plan.eligiblePools(family, mode, of: node).isEmpty
        }
    }

    /// - Parameter hasPools: whether a family has a pool: one without has no address, whatever is turned on, and that is
    ///   what is to be said then.
    private func checkForwarding(
        _ families: [AddressFamily], hasPools: (AddressFamily) throws -> Bool = { _ in true },
    ) throws {
        for family in families {
            guard let fault = try call.forwardingFault(family), try hasPools(family) else { continue }
            throw CNIError(.tryAgainLater, fault)
        }
    }

    private func attach(
        _ alias: LinkAlias, _ end: HostName, _ plan: AddressPlan, _ basis: AddressPlan.Basis,
        _ file: inout AttachmentFile, _ kernel: inout PodKernel, _ undo: inout UndoStack<Inverse>,
    ) throws -> JSONValue {
        let (name, observed) = end
        // Before another plugin is asked for addresses; else the kernel tells.
        if observed == .absent, foreign != nil { try checkPodName(&kernel) }
        let answer = try addresses(plan, basis, &file, &undo, name: name)
        trace.ended("finding addresses")
        // The daemon takes note of the connection while the kernel makes the link.
        var line = daemon.greeted()
        var link = PodLink(
            alias: alias, hostName: name, addresses: answer.addresses, mtuBytes: call.podMTUBytes(answer.node),
            podMAC: requests.macAddress, destinations: answer.destinations)
        let index: UInt32
        do {
            let steps = try steps(to: link, observed, &file)
            index = try carryOut(steps, link, answer.mode, &kernel, &line, &undo)
        } catch is HostNameLost {
            // Nothing has been made yet, and to the key's own name nobody else has a claim.
            let (name, observed) = try endNamedByKey(alias, &kernel)
            link = link.named(name)
            let steps = try steps(to: link, observed, &file)
            index = try carryOut(steps, link, answer.mode, &kernel, &line, &undo)
        }
        try handOff(answer, &line)
        trace.ended("telling apusd")
        // Nobody would know of the pod, and a GC that has run meanwhile has left it alone.
        try call.checkIsWanted()
        let json = try result(link, answer).json(version: call.config.version, after: call.config.previousResult)
        try desk.keepOnly(link.addresses.map(\.family), of: &file)
        try file.update {
            $0.hostLinkIndex = index
            $0.mtuBytes = link.mtuBytes
            $0.requestedMAC = requests.macAddress
            $0.podName = call.environment.arguments.qualifiedPodName
            $0.state = .complete
        }
        trace.ended("writing the record")
        let addresses = link.addresses.asList
        call.log.write(.info, "ADD \(call.key): \(addresses) on \(link.hostName)")
        return json
    }

    /// The name of the host's end of a key that has no record, if nothing has that name; what goes wrong here goes wrong
    /// again, and is told, when the key is held.
    private func nameWithoutLink(
        _ alias: LinkAlias, _ kernel: inout PodKernel,
    ) -> HostName? {
        guard let end = try? hostEnd(alias, "", &kernel, until: BootClock.now()), end.observed == .absent else {
            return nil
        }
        return end
    }

    /// How the host's end is to be called, and what has that name now.
    ///
    /// The runtime may start a pod's next sandbox before it has ended the former one. That one keeps the pod's name, and
    /// the new one is called after its key.
    ///
    /// - Parameter deadline: until when to wait for the mark of a link that another ADD may be making.
    /// - Throws: `PodPlanError.nameTaken`.
    private func hostEnd(
        _ alias: LinkAlias, _ recorded: String, _ kernel: inout PodKernel, until deadline: MonotonicTime,
    ) throws -> HostName {
        let arguments = call.environment.arguments
        let name = HostLinkName.name(
            for: call.key, podNamespace: arguments.podNamespace, podName: arguments.podName)
        if !recorded.isEmpty, recorded != name {
            try kernel.deleteRecorded(recorded, of: alias, podName: call.key.ifName)
        }
        let observed = try observeMarked(name, isRecorded: recorded == name, &kernel, until: deadline)
        if case .present(_, let text?) = observed, let owner = LinkAlias(parsing: text), owner != alias {
            return try endNamedByKey(alias, &kernel)
        }
        try PodPlan.judge(observed, named: name, for: alias)
        return (name, observed)
    }

    /// What has the name. The ADD of another sandbox of the pod makes a link of it and marks it right after: that mark
    /// is waited for.
    private func observeMarked(
        _ name: String, isRecorded: Bool, _ kernel: inout PodKernel, until deadline: MonotonicTime,
    ) throws -> ObservedLink {
        while true {
            let observed = try kernel.observe(name, isRecorded: isRecorded, podName: call.key.ifName)
            guard case .present(_, nil) = observed, call.environment.arguments.qualifiedPodName != nil,
                BootClock.now() < deadline
            else { return observed }
            _ = try Poll.readable([], until: BootClock.now() + .milliseconds(1), name: "the link's mark")
        }
    }

    /// The host's end by the name that follows from the key alone.
    /// - Throws: `PodPlanError.nameTaken`.
    private func endNamedByKey(_ alias: LinkAlias, _ kernel: inout PodKernel) throws -> HostName {
        let name = ownName
        let observed = try kernel.observe(name, isRecorded: false, podName: call.key.ifName)
        try PodPlan.judge(observed, named: name, for: alias)
        return (name, observed)
    }

    private var ownName: String { HostLinkName.name(for: call.key, podNamespace: nil, podName: nil) }

    /// The pod's addresses: the store's to give, or another IPAM plugin's.
    private func addresses(
        _ plan: AddressPlan, _ basis: AddressPlan.Basis, _ file: inout AttachmentFile,
        _ undo: inout UndoStack<Inverse>, name: String,
    ) throws -> PodAddresses {
        guard let foreign else {
            let answer = try plan.allocate(for: &file, basis, hostLink: name) { try checkForwarding($0, of: plan) }
            return PodAddresses(
                addresses: answer.allocations.map(\.address), destinations: call.config.ipamRoutes.map(\.destination),
                dns: CNIResult.DNS(),
                unannounced: answer.allocations.filter { !$0.block.isAnnounced }.map(\.block.cidr), node: answer.node,
                mode: answer.mode)
        }
        // The record says that the plugin may have been asked, before it is.
        let mayHaveSome = !file.attachment.hostLink.isEmpty
        try file.update { $0.hostLink = name }
        let answer = try foreign.obtain(for: &file, mayHaveSome: mayHaveSome)
        undo.push(.giveBack)
        try checkForwarding(
            AddressFamily.allCases.filter { family in
                answer.addresses.contains { $0.family == family }
            })
        return answer
    }

    /// The steps to the link, when the record names it: from then on that leads a later DEL to the link, whenever this
    /// process is killed.
    private func steps(
        to link: PodLink, _ observed: ObservedLink, _ file: inout AttachmentFile,
    ) throws -> [PodStep] {
        let steps = try PodPlan(
            link, observed: observed, hostHasIPv6: try FileStatus.of("/proc/sys/net/ipv6") != nil
        ).steps
        try file.update { $0.hostLink = link.hostName }
        return steps
    }

    /// Makes the link and answers the index of its host end, with which the daemon is asked: it is at work while the
    /// kernel sets up the rest.
    private func carryOut(
        _ steps: [PodStep], _ link: PodLink, _ mode: EncapsulationMode, _ kernel: inout PodKernel,
        _ line: inout DaemonCall, _ undo: inout UndoStack<Inverse>,
    ) throws -> UInt32 {
        var hostIndex: UInt32 = 0
        do {
            try call.checkIsWantedIfLate()
            for step in steps {
                do {
                    try kernel.apply(step)
                } catch {
                    guard case .createPair = step, (error as? NetlinkError)?.code == .EEXIST else { throw error }
                    // The kernel does not say which of the two names there is already.
                    try checkPodName(&kernel)
                    throw link.hostName == ownName ? error : HostNameLost()
                }
                if let inverse = step.inverse { undo.push(.pod(inverse)) }
                trace.ended(step.name)
                guard case .createPair = step else { continue }
                hostIndex = try kernel.hostIndex(link.hostName)
                let endpoint = endpoint(link, hostIndex, mode)
                line.ask(.endpointAdd(endpoint))
                undo.push(.withdraw(endpoint))
            }
            if let allows = call.config.allowsForwarding {
                try kernel.setPodForwarding(allows, for: link.addresses)
            }
            return hostIndex
        } catch {
            // What is withdrawn next must not reach the daemon before what was asked.
            if hostIndex != 0 { _ = try? line.answer() }
            throw error
        }
    }

    /// - Throws: error 999 when the container has a link of the name.
    private func checkPodName(_ kernel: inout PodKernel) throws {
        guard try kernel.podHasLink(call.key.ifName) else { return }
        throw CNIError(
            .failed, "CNI_IFNAME: the container has a link \(call.key.ifName) already", details: call.environment.netns)
    }

    /// A daemon that is absent or silent is no obstacle as long as the others know of the block already.
    private func handOff(_ answer: PodAddresses, _ line: inout DaemonCall) throws {
        guard let absence = try line.consent() else { return }
        if let unknown = answer.unannounced.first {
            throw CNIError(
                .tryAgainLater, "\(unknown) is not announced, and \(absence)",
                details: "start apusd, or see its log; then try again")
        }
        call.log.write(.warning, "ADD \(call.key): going on without apusd: \(absence)")
    }

    private func endpoint(_ link: PodLink, _ index: UInt32, _ mode: EncapsulationMode) -> Endpoint {
        Endpoint(
            network: call.key.network, containerID: call.key.containerID, ifName: call.key.ifName,
            addresses: link.addresses.map(\.hostPrefix), hostLink: link.hostName, hostLinkIndex: index,
            mode: mode.rawValue)
    }

    private func result(_ link: PodLink, _ answer: PodAddresses) -> CNIResult {
        CNIResult(
            interfaces: [
                CNIResult.Interface(name: link.hostName, macAddress: link.hostMAC, mtuBytes: link.mtuBytes),
                CNIResult.Interface(
                    name: link.podName, macAddress: link.podMAC, mtuBytes: link.mtuBytes,
                    sandbox: call.environment.netns),
            ],
            addresses: link.addresses.map {
                CNIResult.Address(
                    interface: 1, address: CIDRAddress($0, length: $0.family.bitWidth), gateway: answer.gateways[$0])
            },
            routes: link.destinations.map {
                CNIResult.Route(destination: $0, gateway: PodPlan.gateway($0.family))
            },
            dns: call.config.dns == CNIResult.DNS() ? answer.dns : call.config.dns)
    }

    /// - Returns: whether all of it is taken back. If not, the record and its addresses must stay for the DEL that
    ///   follows: an address that a link still bears must not be given to another.
    private func takeBack(
        _ undo: inout UndoStack<Inverse>, _ alias: LinkAlias, _ former: String, _ kernel: inout PodKernel,
    ) -> Bool {
        var isClean = undo.inverses.contains(where: \.isOfLink) || removeLeftover(alias, former, &kernel)
        undo.unwind { inverse in
            switch inverse {
            case .pod(let inverse): try kernel.undo(inverse)
            case .withdraw(let endpoint): try daemon.withdraw(endpoint)
            // Taken back last: an address that a link still bears stays its pod's until DEL.
            case .giveBack: if isClean { foreign?.giveBack() }
            }
        } onFailure: { (inverse, error: any Error) in
            if case .pod = inverse { isClean = false }
            call.log.write(.warning, "ADD \(call.key): taking back \(inverse) failed: \(error)")
        }
        return isClean
    }

    /// Removes the link of an ADD that was killed: this one has failed before it came to that.
    private func removeLeftover(_ alias: LinkAlias, _ former: String, _ kernel: inout PodKernel) -> Bool {
        guard !former.isEmpty else { return true }
        do {
            try kernel.deleteRecorded(former, of: alias, podName: call.key.ifName)
            return true
        } catch {
            call.log.write(.warning, "ADD \(call.key): a leftover link stays until DEL: \(error)")
            return false
        }
    }

    private func release(_ file: consuming AttachmentFile) {
        do {
            try desk.release(file)
        } catch {
            call.log.write(.error, "ADD \(call.key): its address is kept until DEL: \(error)")
        }
    }
}
