package import IPAMCore
import LinuxOS
import NetTypes

/// The record of an attachment that this process alone works on, until the value's life ends or the process dies.
///
/// A value that ends without `release` leaves the record as it is: pending and free is what a killed ADD leaves.
package struct AttachmentFile: ~Copyable, Sendable {
    /// The record as it is on disk.
    package private(set) var attachment: Attachment
    private var file: LockedFile

    init(_ attachment: Attachment, file: consuming LockedFile) {
        self.attachment = attachment
        self.file = file
    }

    /// Whose record it is.
    package var key: AttachmentKey { attachment.key }

    /// Changes the record in one step, as `file.update { $0.state = .complete }`. On an error the old one stays.
    ///
    /// Addresses are `RunDirectory.allocate`'s and `release`'s alone to change.
    package mutating func update(_ change: (inout Attachment) -> Void) throws(StoreError) {
        var changed = attachment
        change(&changed)
        guard changed != attachment else { return }
        do throws(SystemError) {
            try file.replace(with: RunDirectory.text(changed.json))
        } catch {
            throw .system(error)
        }
        attachment = changed
    }

    /// Removes the record; the blocks must have let go of its addresses before.
    consuming func remove() throws(StoreError) {
        do throws(SystemError) {
            try file.remove()
        } catch {
            throw .system(error)
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
