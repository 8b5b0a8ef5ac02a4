package import IPAMCore
import LinuxOS
package import NetTypes

extension RunDirectory {
    /// Whether the store knows of every pod there is: nobody has emptied the directory since it was last made again.
    ///
    /// A file tells, `blocks/settled-<boot id>`. It is in the directory of the blocks because they can be made again of
    /// the attachments, and not the other way round with all they say: whoever removes both removes it too.
    package func isSettled() throws(StoreError) -> Bool {
        try system { () throws(SystemError) in try FileStatus.of(settledPath) } != nil
    }

    /// Makes the store again of what the kernel shows, before anything is allocated from it. What the store still knows
    /// is left as it is.
    ///
    /// - Parameter found: the attachments that links and routes stand for.
    /// - Returns: those that the store did not know.
    @discardableResult
    package func settle(_ found: [Attachment], under lock: borrowing StoreLock) throws(StoreError) -> [Attachment] {
        var added: [Attachment] = []
        for attachment in found {
            let path = attachmentPath(attachment.key)
            if try system({ () throws(SystemError) in try FileStatus.of(path) }) == nil {
                try writeRecord(attachment.json, to: path)
                added.append(attachment)
            } else if (try? fillPending(attachment, under: lock)) ?? false {
                added.append(attachment)
            }
        }
        for cidr in try blockNetworks() {
            guard var block = try block(cidr) else { continue }
            let before = block
            for attachment in added {
                for prefix in attachment.addresses where cidr.contains(prefix) {
                    try? block.allocate(prefix.address, for: attachment.key)
                    // Refused is an address that the store has given to another, who has the better claim.
                }
            }
            if block != before { try save(block, under: lock) }
        }
        // Last, so that whoever is killed before it leaves the work to the next one.
        try system { () throws(SystemError) in try Files.replace(settledPath, with: []) }
        return added
    }

    /// Completes what a call that was killed has left: a record that does not say what the pod has.
    ///
    /// - Returns: whether there was such a record.
    private func fillPending(_ found: Attachment, under lock: borrowing StoreLock) throws(StoreError) -> Bool {
        guard case .found(var file) = try find(found.key, under: lock), file.attachment.state == .pending,
            file.attachment.addresses.isEmpty
        else { return false }
        try fill(&file, with: found)
        return true
    }

    /// Whether a pod has an address of the block, be it that the attachments alone say so.
    package func isOccupied(_ cidr: IPPrefix) throws(StoreError) -> Bool {
        if let block = try block(cidr) { return !block.isUnused }
        return try !owners(in: cidr).isEmpty
    }

    private var settledPath: String { "\(blocksPath)/settled-\(bootID)" }
}
