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
        case .none:
            try deleteUnrecorded()
            try releaseStray()
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
        let attachment = file.attachment
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
        do throws(StoreError) {
            try file.update { $0.state = .deleting }
        } catch {
            // Somebody has emptied the store meanwhile: what it said is known all the same. On a full disk it is DEL that
            // makes room, and without the mark a killed one is only begun anew.
            guard case .system(let cause) = error, cause.code == .ENOENT || cause.code.isLackOfRoom else { throw error }
        }
    }

    /// Where the record is lost, the link's name follows from the key.
    func deleteUnrecorded() throws {
        guard let alias = LinkAlias(call.key) else { return }
        let arguments = call.environment.arguments
        let names = [
            HostLinkName.name(for: call.key, podNamespace: arguments.podNamespace, podName: arguments.podName),
            HostLinkName.name(for: call.key, podNamespace: nil, podName: nil),
        ]
        var links = try HostLinks()
        for name in Set(names) {
            guard case .present(let index, let text) = try links.observe(name, isRecorded: false),
                text.flatMap(LinkAlias.init(parsing:)) == alias
            else { continue }
            guard let file = try desk.claimUnrecorded() else { return try detachRecorded(index) }
            guard try links.observe(name, isRecorded: false) == .present(index: index, alias: text) else {
                try desk.release(file)
                continue
            }
            let found = try PodLinkSurvey.attachments(bootID: call.store.bootID, now: BootClock.now())
            let attachment =
                found.first { $0.key == call.key }
                ?? Attachment(key: call.key, bootID: call.store.bootID, createdAt: BootClock.now())
            var removal = try LinkRemoval(call, of: attachment, over: try LinkRemoval.line(call))
            removal.begin(with: PodLinkTarget(index: index, alias: alias))
            try removal.run()
            try desk.release(file)
            removal.finish()
        }
    }

    /// Detaches what a record that was not there a moment ago says of the link: the store has been made again, with
    /// this link's. Any other record is that of an ADD that has begun meanwhile.
    private func detachRecorded(_ index: UInt32) throws {
        guard let file = try desk.find() else { return }
        guard file.attachment.hostLinkIndex == index else { return }
        try detach(file)
    }
}
