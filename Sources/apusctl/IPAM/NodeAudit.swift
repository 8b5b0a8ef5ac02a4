import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import PodPlan

/// The audit of a node's addresses while ADDs and DELs go on.
///
/// It looks without a lock first, and most often that is all. What it has found may be of two moments: then it looks
/// again under the store's lock, where nobody begins with a key, and leaves out what somebody is at work on.
struct NodeAudit {
    /// How long to wait for the store's lock. It is held for well under a millisecond at a time.
    static let lockTimeout = Duration.seconds(10)

    /// What is wrong.
    let findings: [AuditFinding]
    /// How many blocks have a record.
    let blockCount: Int
    /// How many attachments there are.
    let attachmentCount: Int

    /// Looks.
    init(_ node: NodeKernel) throws {
        let first = try Self.look(node, busy: [])
        blockCount = first.records.blocks.count
        attachmentCount = first.records.attachments.count
        guard !first.findings.isEmpty else {
            findings = []
            return
        }
        let keys = first.findings.reduce(into: Set<AttachmentKey>()) { $0.formUnion($1.keys) }
        let lock = try node.store.lock(deadline: Self.lockTimeout)
        // Who is at work is asked before anything is read: an ADD may end meanwhile.
        var busy: Set<AttachmentKey> = []
        for key in keys where (try? node.store.isBusy(key, under: lock)) ?? false { busy.insert(key) }
        let second = try Self.look(node, busy: busy)
        findings = second.findings.filter { finding in
            finding.keys.isEmpty ? first.findings.contains(finding) : finding.keys.isSubset(of: keys)
        }
    }

    private static func look(
        _ node: NodeKernel, busy: Set<AttachmentKey>,
    ) throws -> (records: StoreRecords, findings: [AuditFinding]) {
        let records = try node.store.records()
        let ends = try node.ends()
        // A record that cannot be read is one all the same.
        let names = records.unreadable.compactMap(\.fileName)
        let named = records.blocks.flatMap(\.allocated.values) + ends.compactMap(\.key)
        let unknown = names.isEmpty ? [] : named.filter { names.contains($0.fileName) }
        let audit = StoreAudit(
            blocks: records.blocks, attachments: records.attachments, ends: ends, busy: busy.union(unknown),
            isSettled: try node.store.isSettled())
        return (records, audit.findings + records.unreadable.map(\.finding))
    }
}

extension StoreError {
    /// The name of the file that cannot be read.
    var fileName: String? {
        guard case .corrupt(let path, _, _) = self else { return nil }
        return path.split(separator: "/").last.map(String.init)
    }

    /// What is wrong with a record, and what to do.
    fileprivate var finding: AuditFinding {
        guard case .corrupt(let path, let reason, let remedy) = self else {
            return AuditFinding(
                .unreadable, "a record of the run directory cannot be read: \(self)",
                remedy: "see that the directory is whole")
        }
        return AuditFinding(.unreadable, "\(path) cannot be read: \(reason)", remedy: remedy)
    }
}
