import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import NodeLink
import NodeStore
import PodPlan

/// ADD: an address, a link, the daemon's consent. On any failure nothing is left behind.
struct AddCommand {
    /// What takes a step of the ADD back. The address goes last of all, and only if these succeed.
    private enum Inverse: Sendable {
        case pod(PodUndo)
        case withdraw(Endpoint)
    }

    private let call: PluginCall
    private let daemon: DaemonLine
    private let desk: AttachmentDesk

    init(_ call: PluginCall) throws {
        self.call = call
        daemon = try DaemonLine(call.store)
        desk = AttachmentDesk(call)
    }

    /// Attaches the container and answers the result to print.
    func run() throws -> JSONValue {
        guard let alias = LinkAlias(call.key) else {
            throw CNIError(.invalidEnvironment, "CNI_CONTAINERID: too long to mark a link with", details: "\(call.key)")
        }
        if let type = call.config.ipamType, type != "apus-ipam" {
            throw CNIError(.unsupportedField, "ipam.type: \"\(type)\" is not supported, only \"apus-ipam\"")
        }
        // What the configuration says is looked at before anything else is.
        _ = try call.requiredMode()
        let sandbox = try openSandbox()
        let plan = AddressPlan(call, daemon: daemon, wantsGateway: false)
        let node = try call.store.nodeState()
        try checkForwarding(plan, node)
        var kernel = try PodKernel(sandbox: sandbox)
        var file = try desk.claim()
        var undo = UndoStack<Inverse>()
        do {
            let result = try attach(alias, plan, node, &file, &kernel, &undo)
            undo.commit()
            return result
        } catch {
            if takeBack(&undo, &kernel) { release(file) }
            throw error
        }
    }

    /// - Throws: error 999 for a path that is no namespace (3 would keep the runtime from sending DEL), error 8 for the
    ///   plugin's own.
    private func openSandbox() throws -> NetNS {
        let path = call.environment.netns
        let sandbox = try open(path)
        guard call.environment.allowsOwnNetns || sandbox.inode != daemon.hello.netnsInode else {
            throw CNIError(.ownNetns, "CNI_NETNS: \(path) is the plugin's own network namespace", details: path)
        }
        return sandbox
    }

    private func open(_ path: String) throws(CNIError) -> NetNS {
        do throws(SystemError) {
            return try NetNS.open(path)
        } catch {
            throw CNIError(.failed, "CNI_NETNS: \(error)", details: path)
        }
    }

    /// A pod on a node that does not forward is cut off, and nobody would see why.
    private func checkForwarding(_ plan: AddressPlan, _ node: NodeState?) throws {
        for family in plan.families(try plan.mode(of: node), of: node) {
            let setting = family == .ipv4 ? ["ipv4", "ip_forward"] : ["ipv6", "conf", "all", "forwarding"]
            guard try Sysctl.read(["net"] + setting) != "0" else {
                let name = (["net"] + setting).joined(separator: ".")
                throw CNIError(
                    .tryAgainLater, "\(name) is 0: this node does not forward; start apusd, or set it to 1")
            }
        }
    }

    private func attach(
        _ alias: LinkAlias, _ plan: AddressPlan, _ node: NodeState?, _ file: inout AttachmentFile,
        _ kernel: inout PodKernel, _ undo: inout UndoStack<Inverse>,
    ) throws -> JSONValue {
        let arguments = call.environment.arguments
        let name = HostLinkName.name(
            for: call.key, podNamespace: arguments.podNamespace, podName: arguments.podName)
        let recorded = file.attachment.hostLink
        if !recorded.isEmpty, recorded != name { try kernel.deleteLink(recorded, of: alias, isRecorded: true) }
        let observed = try kernel.observe(name, isRecorded: recorded == name)
        if observed == .absent, try kernel.podHasLink(call.key.ifName) {
            throw CNIError(
                .failed, "CNI_IFNAME: the container has a link \(call.key.ifName) already",
                details: call.environment.netns)
        }
        let answer = try plan.allocate(for: &file, known: node, hostLink: name)
        // The daemon takes note of the connection while the kernel makes the link.
        var line = daemon.greeted()
        let link = PodLink(
            alias: alias, hostName: name, addresses: answer.allocations.map(\.address), mtuBytes: mtuBytes(answer.node))
        let steps = try PodPlan(
            link, observed: observed, hostHasIPv6: try FileStatus.of("/proc/sys/net/ipv6") != nil
        ).steps
        // From here on the record leads a later DEL to the link, whenever this process is killed.
        try file.update { $0.hostLink = name }
        for step in steps {
            try kernel.apply(step)
            if let inverse = step.inverse { undo.push(.pod(inverse)) }
        }
        let index = try kernel.hostIndex(name)
        try handOff(endpoint(link, index, answer.mode), answer, &line, &undo)
        let json = try result(link).json(version: call.config.version, after: call.config.previousResult)
        try file.update {
            $0.hostLinkIndex = index
            $0.state = .complete
        }
        let addresses = link.addresses.map(\.description).joined(separator: ", ")
        call.log.write(.info, "ADD \(call.key): \(addresses) on \(name)")
        return json
    }

    /// A daemon that is absent or silent is no obstacle as long as the others know of the block already.
    private func handOff(
        _ endpoint: Endpoint, _ answer: AddressPlan.Answer, _ line: inout DaemonCall, _ undo: inout UndoStack<Inverse>,
    ) throws {
        let absence = try line.announce(endpoint)
        undo.push(.withdraw(endpoint))
        guard let absence else { return }
        if let unknown = answer.allocations.first(where: { !$0.block.isAnnounced }) {
            throw CNIError(
                .tryAgainLater, "block \(unknown.block.cidr) is not announced, and \(absence)",
                details: "start apusd, or see its log; then try again")
        }
        call.log.write(.warning, "ADD \(call.key): going on without apusd: \(absence)")
    }

    /// The configuration's MTU, else the node's less what the dearest of its modes costs.
    private func mtuBytes(_ node: NodeState) -> UInt32 {
        if let mtu = call.config.mtuBytes { return mtu }
        let enabled = node.pools.filter { !$0.isDisabled }.compactMap { EncapsulationMode(rawValue: $0.mode) }
        return ModeRegistry.builtIn.podMTUBytes(hostMTUBytes: node.mtuBytes, enabled: enabled)
    }

    private func endpoint(_ link: PodLink, _ index: UInt32, _ mode: EncapsulationMode) -> Endpoint {
        Endpoint(
            network: call.key.network, containerID: call.key.containerID, ifName: call.key.ifName,
            addresses: link.addresses.map(\.hostPrefix), hostLink: link.hostName, hostLinkIndex: index,
            mode: mode.rawValue)
    }

    private func result(_ link: PodLink) -> CNIResult {
        var families: [AddressFamily] = []
        for address in link.addresses where !families.contains(address.family) { families.append(address.family) }
        return CNIResult(
            interfaces: [
                CNIResult.Interface(name: link.hostName, macAddress: link.hostMAC, mtuBytes: link.mtuBytes),
                CNIResult.Interface(
                    name: link.podName, macAddress: link.podMAC, mtuBytes: link.mtuBytes,
                    sandbox: call.environment.netns),
            ],
            addresses: link.addresses.map {
                CNIResult.Address(interface: 1, address: CIDRAddress($0, length: $0.family.bitWidth))
            },
            routes: families.map {
                CNIResult.Route(destination: PodPlan.defaultDestination($0), gateway: PodPlan.gateway($0))
            },
            dns: call.config.dns)
    }

    /// - Returns: whether all of it is taken back. If not, the record and its addresses must stay for the DEL that
    ///   follows: an address that a link still bears must not be given to another.
    private func takeBack(_ undo: inout UndoStack<Inverse>, _ kernel: inout PodKernel) -> Bool {
        var isClean = true
        undo.unwind { inverse in
            switch inverse {
            case .pod(let inverse): try kernel.undo(inverse)
            case .withdraw(let endpoint): try daemon.withdraw(endpoint)
            }
        } onFailure: { (inverse, error: any Error) in
            if case .pod = inverse { isClean = false }
            call.log.write(.warning, "ADD \(call.key): taking back \(inverse) failed: \(error)")
        }
        return isClean
    }

    private func release(_ file: consuming AttachmentFile) {
        do {
            try desk.release(file)
        } catch {
            call.log.write(.error, "ADD \(call.key): its address is kept until DEL: \(error)")
        }
    }
}
