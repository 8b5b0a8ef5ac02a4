import CNISpec
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import PodLinks

/// An ADD's or DEL's way to the record of its key.
struct AttachmentDesk: Sendable {
    /// How long an ADD waits for another process that holds the record: one that has answered already, or has just
    /// been killed, lets go of it within this.
    private static let endingTime = Duration.milliseconds(250)

    private let call: PluginCall

    init(_ call: PluginCall) {
        self.call = call
    }

    /// Takes the key for an ADD, making the store's directories if need be.
    ///
    /// - Parameter first: what a new record is to have at once, asked for under the lock; nil for nothing, and what it throws is as good
    ///     as nothing: whoever goes on finds it again.
    /// - Returns: a pending record; one that a killed ADD has left may have addresses and a host link.
    /// - Throws: error 11 while another process is at work on it, 999 after an ADD that has answered: then nothing is
    ///   changed.
    func claim(with first: (() throws -> (AllocationRequest, NodeState)?)? = nil) throws -> AttachmentFile {
        try call.store.create()
        let deadline = BootClock.now() + Self.endingTime
        while true {
            switch try attempt(first) {
            case .fresh(let file): return file
            case .takenOver(let file):
                call.log.write(.warning, "ADD \(call.key): an earlier ADD or DEL was killed; taking over")
                return file
            case .complete(let attachment):
                let addresses = attachment.addresses.map(\.description).joined(separator: ", ")
                throw CNIError(
                    .failed, "\(call.key) is attached already, with \(addresses); the runtime must send DEL first")
            case .busy: break
            }
            try pause(until: deadline)
        }
    }

    /// Takes the key for a DEL, waiting for another process that is at work on it.
    ///
    /// - Returns: nil if there is no record.
    /// - Throws: error 11 when the other one goes on for too long.
    func find() throws -> AttachmentFile? {
        guard try hasStore() else { return nil }
        let deadline = BootClock.now() + PluginCall.lockTimeout
        while true {
            switch try look() {
            case .none: return nil
            case .found(let file):
                // It may have been another's for long.
                try call.checkIsWanted()
                return file
            case .busy: break
            }
            try pause(until: deadline)
        }
    }

    /// A record made for the time in which the link of a key without one is deleted: it keeps an ADD of the key away.
    ///
    /// - Returns: nil if there is a record by now: another call's, or one that the store has been made again with.
    func claimUnrecorded(_ attachment: Attachment) throws -> AttachmentFile? {
        try call.store.create()
        let lock = try call.lock()
        return try call.store.enter(attachment, under: lock)
    }

    /// Gives the addresses back and removes the record.
    func release(_ file: consuming AttachmentFile) throws {
        let lock = try call.lock()
        let released = try call.store.release(file, under: lock)
        call.log.write(.debug, "\(call.key): released \(released.map(\.description).joined(separator: ", "))")
    }

    /// Gives back the addresses of other families: a killed ADD may have been to give more of them than the one that has
    /// taken its record over.
    func keepOnly(_ families: [AddressFamily], of file: inout AttachmentFile) throws {
        guard !file.isNew else { return }
        let others = Set(file.attachment.addresses.map(\.family)).subtracting(families)
        guard !others.isEmpty else { return }
        let lock = try call.lock()
        for family in others { try call.store.letGo(family, of: &file, under: lock) }
    }

    /// Gives back what blocks hold for a key without a record.
    func releaseStray() throws {
        guard try call.store.mayHold(call.key) else { return }
        let lock = try call.lock()
        // The key had no record when somebody looked; an ADD may have made one since, and what it holds is its own.
        guard case .none = try call.store.find(call.key, under: lock) else { return }
        let released = try call.store.releaseStray(call.key, under: lock)
        if !released.isEmpty {
            let addresses = released.map(\.description).joined(separator: ", ")
            call.log.write(.warning, "\(call.key): released \(addresses), which no record led to")
        }
    }

    /// - Throws: error 11 at the deadline, or when the call is to be given up.
    private func pause(until deadline: MonotonicTime) throws {
        try call.checkIsWanted()
        let now = BootClock.now()
        guard now < deadline else {
            throw CNIError(.tryAgainLater, "another process is at work on \(call.key)")
        }
        _ = try Poll.readable([], until: now + .milliseconds(5), name: "the attachment's lock")
    }

    private func attempt(_ first: (() throws -> (AllocationRequest, NodeState)?)?) throws -> AttachmentClaim {
        let lock = try call.lock()
        if try !call.store.isSettled() { try settle(under: lock) }
        // From here on a DEL finds something and waits; one that has come before has found nothing.
        try call.checkIsWantedIfLate()
        return try call.store.claim(call.key, now: BootClock.now(), with: (try? first?()) ?? nil, under: lock)
    }

    /// The store is new, or somebody has emptied it: the pods that live are entered before anything is allocated.
    private func settle(under lock: borrowing StoreLock) throws {
        let found = try PodLinkSurvey.attachments(bootID: call.store.bootID, now: BootClock.now())
        let added = try call.store.settle(found, under: lock)
        if !added.isEmpty {
            call.log.write(
                .warning, "\(call.store.path) knew nothing of \(added.count) pods; entered from their links and routes")
        }
    }

    private func look() throws -> AttachmentSearch {
        let lock = try call.lock()
        return try call.store.find(call.key, under: lock)
    }

    private func hasStore() throws -> Bool {
        try FileStatus.of(call.store.path) != nil
    }
}
