import CNISpec
import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeLink
import PodLinks
import PodPlan

/// How a DEL gets rid of the pod's link without waiting for the kernel's grace periods: somebody else waits for them.
///
/// The kernel unlists both ends of a pair at once, well within a millisecond, and answers some twenty later. The daemon
/// deletes, together with what others ask it for at the same time; where there is none, a process that outlives this
/// one; and where that fails too, this one, waiting.
struct LinkRemoval: ~Copyable {
    /// How long the daemon may take, be it busy with hundreds of others.
    private static let daemonTimeout = Duration.seconds(1)
    /// How long the detached process may take until the link is unlisted.
    private static let detachedTimeout = Duration.milliseconds(500)
    /// The ends are unlisted one right after the other: longer than this, a link of the name is another's.
    private static let podEndTimeout = Duration.milliseconds(5)

    private let call: PluginCall
    private let endpoint: Endpoint
    private let names: LinkNames
    private var line: DaemonCall
    private var target: PodLinkTarget?
    private var isAsked = false
    private var isServed = false
    /// Whether the daemon has released the record: there is nothing left to do.
    private(set) var isReleased = false

    /// Says hello to the daemon: the sooner, the less is waited for it.
    static func line(_ call: PluginCall) throws -> DaemonCall {
        try call.daemonLine().greeted(helloTimeout: daemonTimeout)
    }

    /// - Parameter attachment: the record, or what stands for it where there is none.
    init(_ call: PluginCall, of attachment: Attachment, over line: consuming DaemonCall) throws {
        self.call = call
        self.line = line
        endpoint = Endpoint(
            network: call.key.network, containerID: call.key.containerID, ifName: call.key.ifName,
            addresses: attachment.addresses, hostLink: attachment.hostLink, hostLinkIndex: attachment.hostLinkIndex,
            mode: call.config.mode ?? "")
        names = try LinkNames()
    }

    /// Has the daemon begin with the recorded link, if there is one.
    mutating func begin() throws {
        begin(with: try recorded())
    }

    /// Has the daemon begin with a link. A link without an alias it would not touch.
    ///
    /// - Parameter target: nil when there is none. The daemon is told all the same, for the rest that goes with a pod.
    mutating func begin(with target: PodLinkTarget?) {
        self.target = target
        if let target, target.alias == nil { return }
        var question = endpoint
        question.hostLinkIndex = target?.index ?? 0
        line.ask(.linkDelete(question), timeout: Self.daemonTimeout)
        isAsked = true
    }

    /// Sees what was begun to its end: neither end is to be seen when it returns.
    /// - Throws: when the link is there still.
    mutating func run() throws {
        // Made ready while the daemon is at work.
        let podLinks = target == nil ? nil : openPodLinks()
        isServed = daemonHasDone()
        if !isServed {
            if let target { try removeDetached(target) }
            flushConnections()
        }
        try checkGone()
        if let podLinks { awaitEnd(podLinks) }
    }

    /// A link that somebody has given another alias is nobody's to delete. Its record and its address stay as long as it
    /// does: it still has the route to the pod.
    private func checkGone() throws {
        guard let target, let name = try names.name(of: target.index), name == endpoint.hostLink else { return }
        let alias = LinkAlias(call.key)?.description ?? ""
        throw CNIError(
            .failed, "link \(name) of \(call.key) is there and does not bear the alias it was given",
            details: "ip link set \(name) alias \(alias), or delete the link; then try again")
    }

    /// Tells the daemon, if it has answered before and does not know, that the record is gone too.
    mutating func finish() {
        guard isServed, !isReleased else { return }
        do throws(NodeLinkError) {
            try line.tell(.endpointDelete(endpoint))
        } catch {
            call.log.write(.debug, "DEL \(call.key): apusd was not told: \(error)")
        }
    }

    /// What the record leads to. An index whose link is gone is no other link's: the kernel counts on.
    private func recorded() throws -> PodLinkTarget? {
        guard let alias = LinkAlias(call.key) else { return nil }
        if endpoint.hostLinkIndex != 0 {
            guard try names.name(of: endpoint.hostLinkIndex) != nil else { return nil }
            return PodLinkTarget(index: endpoint.hostLinkIndex, alias: alias)
        }
        guard !endpoint.hostLink.isEmpty else { return nil }
        // An ADD that was killed: it may have made the link, and may have marked it.
        var links = try HostLinks()
        let deadline = BootClock.now() + HostLinks.markingTime
        while true {
            let observed = try links.observe(endpoint.hostLink, isRecorded: true)
            switch observed {
            case .absent: return nil
            case .present(let index, _):
                return observed.isMarked(alias) ? PodLinkTarget(index: index, alias: alias) : nil
            case .unmarked(let index):
                let target = PodLinkTarget(index: index, alias: nil)
                if let isPods = isPods(index) { return isPods ? target : nil }
                // The ADD of another sandbox of the pod may be about to mark it.
                guard BootClock.now() < deadline else { return target }
                try call.checkIsWanted()
                _ = try Poll.readable([], until: BootClock.now() + .milliseconds(1), name: "the link's mark")
            }
        }
    }

    /// Whether the other end of a pair is the pod's link; nil where the pod's namespace is not at hand.
    private func isPods(_ index: UInt32) -> Bool? {
        guard !call.environment.netns.isEmpty, let sandbox = try? call.openNetns() else { return nil }
        return try? sandbox.within(from: call.input.server?.home, orThrow: { $0 as any Error }) {
            () throws(any Error) in
            var pod = try NetlinkSocket(isForFew: true)
            return try pod.link(named: call.key.ifName)?.lowerIndex == index
        }
    }

    private mutating func daemonHasDone() -> Bool {
        guard isAsked else { return false }
        do {
            let answer = try LinkDeleteAnswer(line.answer().get())
            guard answer.isDeleted, let target else { return true }
            let isGone = try names.name(of: target.index) == nil
            isReleased = isGone && answer.isReleased
            return isGone
        } catch {
            call.log.write(.debug, "DEL \(call.key): without apusd: \(error)")
            return false
        }
    }

    /// Has a process of its own delete the link.
    private func removeDetached(_ target: PodLinkTarget) throws {
        guard LinkDeletion.canDetach else { return try LinkDeletion.run(target) }
        do throws(SystemError) {
            let process = try DetachedProcess.start(
                DetachedProcess.ownProgram, arguments: LinkDeletion.arguments(target))
            let deadline = BootClock.now() + Self.detachedTimeout
            let left = try names.waitUntilGone([target.index], until: deadline) { process.hasEnded() }
            if left.isEmpty { return }
            call.log.write(.debug, "DEL \(call.key): the detached process has not deleted if\(target.index)")
        } catch {
            call.log.write(.warning, "DEL \(call.key): \(error); waiting for the kernel instead")
        }
        try LinkDeletion.run(target)
    }

    /// The pod's links, where the pod's namespace is still at hand.
    private func openPodLinks() -> DeviceList? {
        guard !call.environment.netns.isEmpty, let sandbox = try? call.openNetns() else { return nil }
        return try? sandbox.within(from: call.input.server?.home, orThrow: { $0 }) { () throws(SystemError) in
            try DeviceList()
        }
    }

    /// Sees that the pod's end is gone too.
    private func awaitEnd(_ podLinks: borrowing DeviceList) {
        let deadline = BootClock.now() + Self.podEndTimeout
        while (try? podLinks.contains(call.key.ifName)) ?? false, BootClock.now() < deadline {
            _ = try? Poll.readable([], until: BootClock.now() + .milliseconds(1), name: "the pod's link")
        }
    }

    /// Nobody who gets the address next is to see what was said to the one before.
    private func flushConnections() {
        do {
            try ConntrackSocket.flush(endpoint.addresses.map(\.address))
        } catch {
            call.log.write(.warning, "DEL \(call.key): connections not flushed: \(error)")
        }
    }
}

/// The deletion of one link, in whatever process: `apus delete-link INDEX [ALIAS]` is the detached one.
enum LinkDeletion {
    private static let word = "delete-link"

    /// Whether this process is the executable, which is what a detached process would be too.
    static var canDetach: Bool {
        let name = CommandLine.arguments.first?.parts(separatedBy: "/").last
        return name == "apus" || name == "apus-ipam"
    }

    /// `argv` of the detached process.
    static func arguments(_ target: PodLinkTarget) -> [String] {
        ["apus", word, "\(target.index)"] + (target.alias.map { ["\($0)"] } ?? [])
    }

    /// The link that the process is to delete; nil when it was started for something else.
    static func target(of arguments: [String]) -> PodLinkTarget? {
        guard (3...4).contains(arguments.count), arguments[1] == word, let index = UInt32(arguments[2]) else {
            return nil
        }
        guard arguments.count == 4 else { return PodLinkTarget(index: index, alias: nil) }
        return LinkAlias(parsing: arguments[3]).map { PodLinkTarget(index: index, alias: $0) }
    }

    /// Deletes the link if it is what is meant, and waits for the kernel.
    static func run(_ target: PodLinkTarget) throws(NetlinkError) {
        var remover = try PodLinkRemover()
        let present = try remover.present([target])
        if !present.isEmpty { try remover.delete(present.map(\.index), group: 0) }
    }
}
