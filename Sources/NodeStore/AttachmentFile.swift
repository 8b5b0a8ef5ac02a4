package import IPAMCore
import LinuxOS
import NetTypes

/// The record of an attachment that this process alone works on, until the value's life ends or the process dies.
///
/// A value that ends without `release` leaves the record as it is: pending and free is what a killed ADD leaves.
package struct AttachmentFile: ~Copyable, Sendable {
    /// The record as it is on disk.
    package private(set) var attachment: Attachment
    /// Whether it was made by the claim: nobody has left anything under the key.
    package let isNew: Bool
    private let path: String
    /// Nil for as long as nothing is written: that is within the claim, under the store's lock.
    private var file: LockedFile?
    /// What was asked for with the claim, and what came of it.
    private var claimed: (request: AllocationRequest, outcome: AllocationOutcome)?

    init(_ attachment: Attachment, file: consuming LockedFile) {
        self.attachment = attachment
        isNew = false
        path = file.path
        self.file = consume file
    }

    /// One that is not written yet.
    init(new attachment: Attachment, path: String) {
        self.attachment = attachment
        self.path = path
        isNew = true
        file = nil
    }

    /// Whose record it is.
    package var key: AttachmentKey { attachment.key }

    /// Changes the record in one step, as `file.update { $0.state = .complete }`. On an error the old one stays.
    ///
    /// Addresses are `RunDirectory.allocate`'s and `release`'s alone to change.
    package mutating func update(_ change: (inout Attachment) -> Void) throws(StoreError) {
        var changed = attachment
        change(&changed)
        guard !isWritten || changed != attachment else { return }
        let text = RunDirectory.text(changed.json)
        do throws(SystemError) {
            if isWritten { try file?.replace(with: text) } else { file = try LockedFile.create(path, content: text) }
        } catch {
            throw .system(error)
        }
        attachment = changed
    }

    /// Writes the record if it is not: before the store's lock is let go of.
    mutating func settle() throws(StoreError) {
        if !isWritten { try update { _ in } }
    }

    /// Whether its key has another record by now. The daemon releases what it has deleted, under the store's lock alone, and
    /// then the key is a newer ADD's to claim.
    borrowing func isSuperseded() throws(StoreError) -> Bool {
        do throws(SystemError) {
            return try file?.isSuperseded() ?? false
        } catch {
            throw .system(error)
        }
    }

    /// Removes the record; the blocks must have let go of its addresses before.
    consuming func remove() throws(StoreError) {
        do throws(SystemError) {
            try Files.remove(path)
        } catch {
            throw .system(error)
        }
    }

    /// Keeps what has come of a request.
    mutating func keep(_ outcome: AllocationOutcome, of request: AllocationRequest) { claimed = (request, outcome) }

    /// What has come of a request that the key was claimed with, once; nil for another one.
    package mutating func takeOutcome(of request: AllocationRequest) -> AllocationOutcome? {
        guard let claimed, claimed.request == request else { return nil }
        self.claimed = nil
        return claimed.outcome
    }

    private var isWritten: Bool {
        switch file {
        case .some: true
        case .none: false
        }
    }
}

/// What an ADD finds of its key.
package enum AttachmentClaim: ~Copyable, Sendable {
    /// There was nothing: a pending attachment without addresses has been made.
    case fresh(AttachmentFile)
    /// A killed ADD or DEL left this, and it is pending again: clear its link away and go on with it.
    case takenOver(AttachmentFile)
    /// An ADD has answered for this key before: refuse, change nothing.
    case complete(Attachment)
    /// Another process is at work on the key: CNI error 11.
    case busy
}

/// What a DEL finds of its key.
package enum AttachmentSearch: ~Copyable, Sendable {
    /// Nothing: the pod was never added, or is gone already.
    case none
    /// The record, in whatever state.
    case found(AttachmentFile)
    /// Another process is at work on the key: wait and look again, then CNI error 11.
    case busy
}
