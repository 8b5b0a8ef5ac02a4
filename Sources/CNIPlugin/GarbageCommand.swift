import CNISpec
import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeStore
import PodLinks
import PodPlan

/// GC: what the network still holds for attachments that are not alive goes.
///
/// The store leads to most of it, the kernel to the links whose records are lost. What another process is at work on
/// stays, and so does whatever is younger than this process: the runtime's list is older than it.
struct GarbageCommand {
    /// How long all of it may take: what is left then is named, and the next GC's.
    private static let timeout = Duration.seconds(90)

    private let call: PluginCall
    private let startedAt: MonotonicTime
    private var deadline: MonotonicTime { startedAt + Self.timeout }

    /// - Parameter startedAt: the start of the process.
    init(_ call: PluginCall, startedAt: MonotonicTime) {
        self.call = call
        self.startedAt = startedAt
    }

    /// Removes all that is not valid; without a list it does nothing.
    /// - Throws: at the end, an error that names everything that could not be removed.
    func run() throws {
        var failures: [String] = []
        // What is amiss with the IPAM plugin is said before anything is touched.
        let delegate = try IPAMDelegate(call, until: deadline)
        let isClear = try call.config.validAttachments.map { try collect($0, &failures) } ?? true
        // Another IPAM plugin reads the list as it sees fit: last, and not while a link may bear an address of what is
        // not on it.
        if isClear { attempt("ipam", &failures) { _ = try delegate?.call(.collectGarbage) } }
        guard failures.isEmpty else {
            throw CNIError(.failed, "GC \(call.config.name): " + failures.joined(separator: "; "))
        }
    }

    /// - Returns: whether nothing is left of what is not valid, as far as anybody can tell.
    private func collect(_ valid: ValidAttachments, _ failures: inout [String]) throws -> Bool {
        // Links before addresses: one that a link still bears must not be given to another.
        var work: [(key: AttachmentKey, isOfRecord: Bool, body: () throws -> Bool)] = []
        let orphans = attempt("links", &failures, { try orphanCandidates(valid) })
        var survey: [Attachment]?
        for (key, end) in orphans ?? [] { work.append((key, false, { try collectOrphan(key, end, &survey) })) }
        let stale = staleKeys(valid, &failures)
        for key in stale.keys { work.append((key, true, { try collect(key) })) }
        var isClear = orphans != nil && !stale.hasYounger
        var failed: Set<AttachmentKey> = []
        for (index, (key, isOfRecord, body)) in work.enumerated() {
            guard BootClock.now() < deadline else {
                failures.append("out of time, with \(work.count - index) of \(work.count) left")
                return false
            }
            // What blocks hold for it stays while its link may be there.
            guard !failed.contains(key) else { continue }
            guard let isDone = attempt("\(key)", &failures, body) else {
                failed.insert(key)
                isClear = false
                continue
            }
            // Somebody is at work on it.
            if !isDone, isOfRecord { isClear = false }
        }
        return isClear
    }

    @discardableResult
    private func attempt<Value>(_ what: String, _ failures: inout [String], _ body: () throws -> Value) -> Value? {
        do {
            return try body()
        } catch {
            failures.append("\(what): \(CNIError(error).message)")
            return nil
        }
    }

    private func isGarbage(_ key: AttachmentKey, _ valid: ValidAttachments) -> Bool {
        key.network == call.config.name
            && !valid.entries.contains(.init(containerID: key.containerID, ifName: key.ifName))
    }

    /// The keys of the network that have a record, or hold an address without one; and whether some have a record that is
    /// younger than this process.
    private func staleKeys(
        _ valid: ValidAttachments, _ failures: inout [String],
    ) -> (keys: [AttachmentKey], hasYounger: Bool) {
        var keys: [AttachmentKey] = []
        var hasYounger = false
        var unreadable: [String] = []
        attempt("records", &failures) {
            let attachments = try call.store.readableAttachments { unreadable.append($0.description) }
            keys += attachments.filter { $0.createdAt < startedAt }.map(\.key)
            hasYounger = attachments.contains { $0.createdAt >= startedAt && isGarbage($0.key, valid) }
        }
        attempt("blocks", &failures) { keys += try call.store.blocks().flatMap(\.allocated.values) }
        failures += unreadable
        return (Set(keys.filter { isGarbage($0, valid) }).sorted(), hasYounger)
    }

    /// - Returns: whether the key has nothing any more; false for what is another's to work on, or too young.
    private func collect(_ key: AttachmentKey) throws -> Bool {
        switch try find(key) {
        case .busy: return false
        case .found(let file):
            guard file.attachment.createdAt < startedAt else { return false }
            try deletion(of: key).detach(file)
        case .none:
            // The record is written before the block and removed after it: an address that a block holds for a key
            // without one is nobody's.
            try deletion(of: key).releaseStray()
        }
        return true
    }

    private func find(_ key: AttachmentKey) throws -> AttachmentSearch {
        let lock = try call.lock()
        return try call.store.find(key, under: lock)
    }

    /// The links that say they are of a key that is not valid.
    private func orphanCandidates(_ valid: ValidAttachments) throws -> [(AttachmentKey, HostLinks.End)] {
        var links = try HostLinks()
        return try links.socket.links().compactMap { link in
            guard link.name.hasPrefix("cali"), link.kind == "veth",
                let key = link.alias.flatMap(LinkAlias.init(parsing:))?.key, isGarbage(key, valid)
            else { return nil }
            return (key, HostLinks.End(index: link.index, name: link.name))
        }
    }

    /// Removes a link that no record leads to.
    ///
    /// - Parameter survey: what the kernel shows of all keys, once somebody has looked.
    /// - Returns: as `collect`.
    private func collectOrphan(
        _ key: AttachmentKey, _ end: HostLinks.End, _ survey: inout [Attachment]?,
    ) throws -> Bool {
        guard try call.store.attachment(key) == nil else { return false }
        let known = try survey ?? PodLinkSurvey.attachments(bootID: call.store.bootID, now: BootClock.now())
        survey = known
        return try deletion(of: key).deleteUnrecorded(end, known.first { $0.key == key })
    }

    /// An IPAM plugin of another's need not know of GC: it has a DEL.
    private func deletion(of key: AttachmentKey) -> DeleteCommand {
        DeleteCommand(call.about(key), until: deadline)
    }
}
