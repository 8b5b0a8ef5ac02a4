package import IPAMCore
import LinuxOS
package import NetTypes

/// What the records of a run directory say.
package struct StoreRecords: Sendable {
    /// The blocks, in the order of their networks.
    package let blocks: [Block]
    /// The attachments, in the order of their keys.
    package let attachments: [Attachment]
    /// What cannot be read, each with what to do.
    package let unreadable: [StoreError]
}

extension RunDirectory {
    /// Every record of this boot that can be read. Without the store's lock they need not be of one moment.
    /// - Throws: `system` when a directory itself cannot be read.
    package func records() throws(StoreError) -> StoreRecords {
        var unreadable: [StoreError] = []
        let attachments = try readableAttachments { unreadable.append($0) }
        var blocks: [Block] = []
        for cidr in try blockNetworks() {
            do throws(StoreError) {
                if let block = try block(cidr) { blocks.append(block) }
            } catch {
                unreadable.append(error)
            }
        }
        return StoreRecords(blocks: blocks, attachments: attachments, unreadable: unreadable)
    }

    /// Whether a call is at work on the key. While the lock is held none begins that is not.
    package func isBusy(_ key: AttachmentKey, under lock: borrowing StoreLock) throws(StoreError) -> Bool {
        let path = attachmentPath(key)
        let opening = try system { () throws(SystemError) in try LockedFile.open(path) }
        switch consume opening {
        case .busy: return true
        case .missing: return false
        case .locked: return false
        }
    }

    /// Takes one address back that blocks hold for a key, and leaves the key's record as it is.
    ///
    /// - Returns: whether a block held it for the key.
    package func takeBack(
        _ address: IPAddress, of key: AttachmentKey, under lock: borrowing StoreLock,
    ) throws(StoreError) -> Bool {
        var isReleased = false
        for cidr in try blockNetworks() where cidr.contains(address) {
            guard var block = try block(cidr), block.release(address, of: key) else { continue }
            try saveFreed(Self.text(block.json), of: cidr, under: lock)
            isReleased = true
        }
        return isReleased
    }
}
