package import IPAMCore
import LinuxOS
import NetTypes

extension RunDirectory {
    /// Releases attachments for the DELs that have marked them, hold them and wait: one change of a block's record does
    /// for all of them.
    ///
    /// The lock shows that what is marked stays so: an ADD that takes a key over, its DEL having been killed, changes the
    /// mark under the lock.
    ///
    /// - Parameter links: the keys, each with the index of the link that has gone.
    /// - Returns: the keys that are released; the record of any other is as it was, and its DEL's to see to.
    /// - Throws: `corrupt`, `system`. What was not released is still named by its attachment: do it again.
    package func releaseMarked(
        _ links: [AttachmentKey: UInt32], under lock: borrowing StoreLock,
    ) throws(StoreError) -> Set<AttachmentKey> {
        var marked: [Attachment] = []
        for (key, index) in links {
            guard let attachment = try attachment(key), attachment.state == .deleting,
                attachment.hostLinkIndex == index
            else { continue }
            marked.append(attachment)
        }
        // Blocks first, then attachments, as in any release.
        for cidr in try marked.isEmpty ? [] : blockNetworks() { try takeBack(marked, from: cidr, under: lock) }
        for attachment in marked {
            try system { () throws(SystemError) in _ = try Files.remove(attachmentPath(attachment.key)) }
        }
        return Set(marked.map(\.key))
    }

    private func takeBack(
        _ attachments: [Attachment], from cidr: IPPrefix, under lock: borrowing StoreLock,
    ) throws(StoreError) {
        let held = attachments.flatMap { attachment in
            attachment.addresses.filter { cidr.contains($0) }.map { (key: attachment.key, address: $0.address) }
        }
        guard !held.isEmpty else { return }
        if var text = try blockText(cidr), held.allSatisfy({ text.release($0.address, of: $0.key) }) {
            return try saveFreed(text.octets, of: cidr, under: lock)
        }
        guard var block = try block(cidr) else { return }
        let released = Set(held.map(\.key)).flatMap { block.release($0) }
        if !released.isEmpty { try saveFreed(Self.text(block.json), of: cidr, under: lock) }
    }
}
