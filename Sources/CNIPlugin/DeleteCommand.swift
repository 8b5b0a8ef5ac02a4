import CNISpec
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import PodLinks
import PodPlan

/// DEL: whatever of this key is still there goes. What is gone already is done; what is another's is left alone.
struct DeleteCommand {
    private let call: PluginCall
    private let desk: AttachmentDesk
    private let deadline: MonotonicTime?

    /// - Parameter deadline: when another IPAM plugin must be done, be it before its own time is over.
    init(_ call: PluginCall, until deadline: MonotonicTime? = nil) {
        self.call = call
        self.deadline = deadline
        desk = AttachmentDesk(call)
    }

    /// Detaches the container: link, address, record.
    ///
    /// Neither the container's namespace nor the daemon nor node.json is needed: the link is found by its host end.
    func run() throws {
        let line = try LinkRemoval.line(call)
        switch try desk.find() {
        case .none: try deleteUnrecorded()
        case .some(let file): try detach(file, over: line)
        }
    }

    /// Gives back what is held for a key without a record; another IPAM plugin may know of one all the same.
    func releaseStray() throws {
        try desk.releaseStray()
        try releaseElsewhere()
    }

    /// Has another IPAM plugin, if the configuration names one, give the address back. Whether it is there is not looked
    /// at before: the link goes in any case.
    private func releaseElsewhere() throws { try IPAMDelegate(call, until: deadline)?.call(.delete) }

    /// Detaches what the record says, and removes the record last.
    func detach(_ file: consuming AttachmentFile) throws {
        try detach(file, over: try LinkRemoval.line(call))
    }

    private func detach(_ file: consuming AttachmentFile, over line: consuming DaemonCall) throws {
        var file = file
        // A record that was complete says all there is.
        let isComplete = file.attachment.state == .complete
        let isEmpty = !isComplete && file.attachment.hostLink.isEmpty
        let attachment = try isEmpty ? fill(&file) : file.attachment
        var removal = try LinkRemoval(call, of: attachment, over: line)
        // The daemon is at it while the record is written. A DEL that is killed here has left a complete record, which
        // the next DEL, or GC, removes.
        try removal.begin()
        // The daemon releases a record with this mark when the link is gone. Another IPAM plugin gives the address back
        // after the link, and the record leads to that until it has.
        if !IPAMDelegate.isNamed(by: call.config) { try markDeleting(&file) }
        try removal.run()
        try releaseElsewhere()
        if !removal.isReleased { try desk.release(file) }
        removal.finish()
        if !isComplete { try desk.releaseStray() }
        let addresses = attachment.addresses.asList
        call.log.write(.info, "\(call.environment.command.rawValue) \(call.key): \(addresses)")
    }

    /// Gives the addresses of an IPAM plugin's key back.
    func releaseAddresses() throws {
        switch try desk.find() {
        case .none: try desk.releaseStray()
        case .some(var file):
            try markDeleting(&file)
            try desk.release(file)
        }
    }

    private func markDeleting(_ file: inout AttachmentFile) throws(StoreError) {
        try write { () throws(StoreError) in try file.update { $0.state = .deleting } }
    }

    /// Somebody may have emptied the store meanwhile: what it said is known all the same. On a full disk it is DEL that
    /// makes room, and without the change a killed one is only begun anew.
    private func write(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        do throws(StoreError) {
            try body()
        } catch {
            guard case .system(let cause) = error, cause.code == .ENOENT || cause.code.isLackOfRoom else { throw error }
        }
    }

    /// What has no record goes: links that say they are the key's, and what blocks hold for it.
    func deleteUnrecorded() throws {
        var isDetached = false
        var mayHold = true
        if let alias = LinkAlias(call.key) {
            let found: [HostLinks.End]
            (found, mayHold) = try ends(of: alias)
            let survey = found.isEmpty ? nil : try survey()
            for end in found {
                isDetached = true
                guard try deleteUnrecorded(end, survey) else {
                    try detachRecorded(end.index)
                    break
                }
            }
        }
        // Not while a link bears the address: it is gone by now.
        if mayHold { try desk.releaseStray() }
        if !isDetached { try releaseElsewhere() }
    }

    /// Deletes a link that no record leads to. A record made for the time of it keeps an ADD of the key away, and leads
    /// to all of it if this call is killed.
    ///
    /// - Parameter survey: what the kernel shows of the key.
    /// - Returns: false if there is a record by now: another call's, or one that the store has been made again with.
    func deleteUnrecorded(_ end: HostLinks.End, _ survey: Attachment?) throws -> Bool {
        guard let alias = LinkAlias(call.key), let file = try desk.claimUnrecorded(attachment(end, survey)) else {
            return false
        }
        var links = try HostLinks()
        guard try links.observe(end.index).isMarked(alias) else {
            try desk.release(file)
            return true
        }
        try detach(file)
        return true
    }

    private func survey() throws -> Attachment? {
        try PodLinkSurvey.attachments(bootID: call.store.bootID, now: BootClock.now()).first { $0.key == call.key }
    }

    private func attachment(_ end: HostLinks.End, _ survey: Attachment?) -> Attachment {
        let isOfEnd = survey?.hostLinkIndex == end.index
        return Attachment(
            key: call.key, addresses: isOfEnd ? survey?.addresses ?? [] : [], hostLink: end.name,
            hostLinkIndex: end.index, bootID: call.store.bootID, createdAt: BootClock.now())
    }

    /// The host's ends that say they are the key's, and whether blocks may hold something for it.
    ///
    /// The name follows from the key, or from the pod's; that a later DEL need not be told. Where neither leads to a link,
    /// and the key may have one, all links are looked at.
    private func ends(of alias: LinkAlias) throws -> (ends: [HostLinks.End], mayHold: Bool) {
        let arguments = call.environment.arguments
        let names = [
            HostLinkName.name(for: call.key, podNamespace: arguments.podNamespace, podName: arguments.podName),
            HostLinkName.name(for: call.key, podNamespace: nil, podName: nil),
        ]
        var links = try HostLinks()
        var ends: [HostLinks.End] = []
        for name in Set(names) {
            let observed = try links.observe(name, isRecorded: false)
            if case .present(let index, _) = observed, observed.isMarked(alias) {
                ends.append(HostLinks.End(index: index, name: name))
            }
        }
        guard ends.isEmpty else { return (ends, true) }
        let mayHold = try call.store.mayHold(call.key)
        if try mayHold || !call.store.isSettled() { ends = try links.ends(of: alias) }
        return (ends, mayHold)
    }

    /// A record without a link is an ADD's that was killed. Its key may have lost a record before, and have a link.
    ///
    /// - Returns: what the record says then, or would.
    private func fill(_ file: inout AttachmentFile) throws -> Attachment {
        guard let alias = LinkAlias(call.key), let end = try ends(of: alias).ends.first else { return file.attachment }
        let found = attachment(end, try survey())
        try write { () throws(StoreError) in try call.store.fill(&file, with: found) }
        return file.attachment.hostLink.isEmpty ? found : file.attachment
    }

    /// Detaches what a record that was not there a moment ago says of the link: the store has been made again, with
    /// this link's. Any other record is that of an ADD that has begun meanwhile.
    private func detachRecorded(_ index: UInt32) throws {
        guard let file = try desk.find() else { return }
        guard file.attachment.hostLinkIndex == index else { return }
        try detach(file)
    }
}
