package import IPAMCore
import LinuxOS
package import NetTypes

extension RunDirectory {
    /// Every attachment of this boot, in the order of the keys; for the daemon's start.
    ///
    /// Each is whole, but files may come and go meanwhile.
    /// - Throws: `corrupt`, `system`.
    package func attachments() throws(StoreError) -> [Attachment] {
        var attachments: [Attachment] = []
        for name in try attachmentNames() {
            if let attachment = try attachment(inFile: name) { attachments.append(attachment) }
        }
        return attachments.sorted { $0.key < $1.key }
    }

    /// As `attachments`, but what cannot be read is told to `report`, and left out.
    /// - Throws: `system` when the directory itself cannot be read.
    package func readableAttachments(_ report: (StoreError) -> Void) throws(StoreError) -> [Attachment] {
        var attachments: [Attachment] = []
        for name in try attachmentNames() {
            do throws(StoreError) {
                if let attachment = try attachment(inFile: name) { attachments.append(attachment) }
            } catch {
                report(error)
            }
        }
        return attachments.sorted { $0.key < $1.key }
    }

    /// The record of `key` as it is now; nil when there is none in this boot. Somebody may be at work on it.
    /// - Throws: `corrupt`, `system`.
    package func attachment(_ key: AttachmentKey) throws(StoreError) -> Attachment? {
        let file = attachmentPath(key)
        guard let json = try readRecord(file, remedy: Remedy.attachment) else { return nil }
        return try read(json, of: key, file).flatMap { $0.bootID == bootID ? $0 : nil }
    }

    /// Takes the key for an ADD; a new attachment is pending, without addresses.
    ///
    /// A new one can be given its first address at once: its record is written once then, instead of once without it and
    /// once with it. The order is that of any allocation, attachment first, then block.
    ///
    /// - Parameters:
    ///   - now: CLOCK_BOOTTIME, for the record.
    ///   - request: what a new attachment is to have, of the node as it is; `AttachmentFile.takeOutcome(of:)` says what
    ///     came of it. What goes wrong with it goes wrong again, and is told, when it is asked for alone.
    /// - Throws: `corrupt`, `system`; nothing has been made.
    package func claim(
        _ key: AttachmentKey, now: MonotonicTime, with request: (AllocationRequest, NodeState)? = nil,
        under lock: borrowing StoreLock,
    ) throws(StoreError) -> AttachmentClaim {
        switch try find(key, under: lock) {
        case .busy: return .busy
        case .none:
            let attachment = Attachment(key: key, bootID: bootID, createdAt: now)
            var file = AttachmentFile(new: attachment, path: attachmentPath(key))
            if let (request, node) = request,
                let outcome = try? allocate(request, for: &file, node: node, under: lock)
            {
                file.keep(outcome, of: request)
            }
            try file.settle()
            return .fresh(file)
        case .found(var file):
            if file.attachment.state == .complete { return .complete(file.attachment) }
            try file.update {
                $0.state = .pending
                // The link of before may have gone; the next is found by its name and mark until the ADD is done.
                $0.hostLinkIndex = 0
                $0.createdAt = now
            }
            return .takenOver(file)
        }
    }

    /// Makes a record of what the kernel shows of a pod, and takes it.
    ///
    /// - Returns: nil if the key has a record.
    /// - Throws: `corrupt`, `system`; nothing has been made.
    package func enter(
        _ attachment: Attachment, under lock: borrowing StoreLock,
    ) throws(StoreError) -> AttachmentFile? {
        guard case .none = try find(attachment.key, under: lock) else { return nil }
        var file = AttachmentFile(new: attachment, path: attachmentPath(attachment.key))
        try file.settle()
        return file
    }

    /// Completes a record that names no link with what the kernel shows of the pod: its state stays.
    /// - Throws: `system`; then the record is as it was.
    package func fill(_ file: inout AttachmentFile, with found: Attachment) throws(StoreError) {
        try file.update {
            $0.hostLink = found.hostLink
            $0.hostLinkIndex = found.hostLinkIndex
            $0.addresses += found.addresses.filter { [known = $0.addresses] in !known.contains($0) }
        }
    }

    /// Takes what there is of the key, for a DEL.
    /// - Throws: `corrupt`, `system`.
    package func find(_ key: AttachmentKey, under lock: borrowing StoreLock) throws(StoreError) -> AttachmentSearch {
        let path = attachmentPath(key)
        let opening = try system { () throws(SystemError) in try LockedFile.open(path) }
        switch consume opening {
        case .missing: return .none
        case .busy: return .busy
        case .locked(let file):
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try file.read(limit: Self.maximumRecord)
            } catch {
                throw .system(error)
            }
            let json = try parse(bytes, file: path, remedy: Remedy.attachment)
            guard let attachment = try read(json, of: key, path), attachment.bootID == bootID else {
                do throws(SystemError) {
                    try file.remove()
                } catch {
                    throw .system(error)
                }
                return .none
            }
            return .found(AttachmentFile(attachment, file: file))
        }
    }

    /// The attachments that name an address in `cidr`, those first whose claim to it is the better one.
    func owners(in cidr: IPPrefix) throws(StoreError) -> [Attachment] {
        func rank(_ attachment: Attachment) -> (Int, UInt64) {
            (attachment.state == .complete ? 0 : 1, .max - attachment.createdAt.nanoseconds)
        }
        return try attachments().filter { $0.addresses.contains { cidr.contains($0) } }.sorted { rank($0) < rank($1) }
    }

    private func attachmentNames() throws(StoreError) -> [String] {
        try names(in: attachmentsPath).filter { $0.hasSuffix(".json") }
    }

    private func attachment(inFile name: String) throws(StoreError) -> Attachment? {
        let file = "\(attachmentsPath)/\(name)"
        guard let json = try readRecord(file, remedy: Remedy.attachment) else { return nil }
        let attachment = try decode(file, remedy: Remedy.attachment) { () throws(RecordError) in
            try Attachment(json: json)
        }
        try check(attachment.key, isThatOf: name, file)
        return attachment.bootID == bootID ? attachment : nil
    }

    func attachmentPath(_ key: AttachmentKey) -> String { "\(attachmentsPath)/\(key.fileName)" }

    private func read(_ json: JSONValue, of key: AttachmentKey, _ file: String) throws(StoreError) -> Attachment? {
        let attachment = try decode(file, remedy: Remedy.attachment) { () throws(RecordError) in
            try Attachment(json: json)
        }
        try check(attachment.key, isThatOf: key.fileName, file)
        return attachment
    }

    private func check(_ key: AttachmentKey, isThatOf name: String, _ file: String) throws(StoreError) {
        guard key.fileName == name else {
            throw .corrupt(path: file, reason: "the key \(key) is not the file name's", remedy: Remedy.attachment)
        }
    }
}
