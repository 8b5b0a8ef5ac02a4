// NodeStore: the run directory, where one node's allocations live while it is up.
//
// Files. `lock`; `node.json`, the daemon's; `blocks/<family>-<address>-<length>.json`; `attachments/<sha1>.json`; and
// the daemon's socket, which `NodeLink` knows. Each record is replaced by writing a new file and renaming it over the
// old one, so that a reader sees the old or the new one whole, whatever is killed. Nothing is synced: the directory is
// a tmpfs, and a reboot is meant to forget it.
//
// The invariant. Every ordinal that a block allocates to a key is named in the attachment file of that key. It holds
// between any two instructions, because the attachment is written before the block and removed after it:
//   - killed between the two on the way in: the attachment names an address that the block still holds free. Another
//     key may get it. A release by the first key does not take it away, for a block releases by key, never by address.
//   - killed between the two on the way out: the same state, and the same answer.
// So an address is never lost (the attachment leads to it) and never has two owners (the block alone decides).
//
// Who may do what. A block is read for a change, changed and written under the store's lock only. An attachment is made
// under the store's lock and changed by whoever holds its own (`AttachmentFile`), which ADD and DEL keep to their end.
//
// Records of another boot count as absent. Whoever holds the lock removes the blocks and attachments among them on
// sight.

package import IPAMCore
import JSONKit
import LinuxOS
import NetTypes

/// The run directory of one node. The value holds paths only; every verb opens what it needs.
package struct RunDirectory: Sendable {
    /// Where the directory is unless the configuration says otherwise.
    package static let defaultPath = "/run/apus"

    /// The directory.
    package let path: String
    /// The boot this process lives in: `BootID.current()`.
    package let bootID: String

    /// Names a directory; nothing is touched.
    package init(path: String, bootID: String) {
        self.path = path
        self.bootID = bootID
    }

    /// The daemon's socket.
    package var socketPath: String { Self.socketPath(in: path) }
    /// The socket at which the daemon takes calls over.
    package var callSocketPath: String { Self.callSocketPath(in: path) }

    /// The socket of the daemon that serves a directory.
    package static func socketPath(in path: String) -> String { path + "/apusd.sock" }

    /// The socket at which the daemon that serves a directory takes calls over.
    package static func callSocketPath(in path: String) -> String { path + "/calls.sock" }

    /// Whether the path of the daemon's sockets has room in the address of a Unix socket: 107 octets and a NUL (unix(7)).
    package static func hasRoomForSocket(_ path: String) -> Bool {
        max(socketPath(in: path).utf8.count, callSocketPath(in: path).utf8.count) <= 107
    }

    /// Makes the directory and its parts, each of mode 0700, unless they exist.
    /// - Throws: `unfit` when others may write to the directory, or something else has its name.
    package func create() throws(StoreError) {
        // Most often all of it is there.
        var status = try system { () throws(SystemError) in try FileStatus.of(path) }
        if let status { try checkIsDirectory(status) }
        if status == nil {
            try make()
            status = try system { () throws(SystemError) in try FileStatus.of(path) }
        }
        if let status { try checkIsFit(status) }
        for part in [blocksPath, attachmentsPath] {
            try system { () throws(SystemError) in
                if try FileStatus.of(part)?.isDirectory != true { try Files.createDirectory(part) }
            }
        }
    }

    /// Sees that the directory is one that `create` would take. There may be none.
    /// - Throws: `unfit`.
    package func checkIsFit() throws(StoreError) {
        guard let status = try system({ () throws(SystemError) in try FileStatus.of(path) }) else { return }
        try checkIsDirectory(status)
        try checkIsFit(status)
    }

    /// A directory that others may write to can be given files of theirs. One they may merely look into does no harm:
    /// what makes directories for container mounts gives them mode 0755.
    private func checkIsFit(_ status: FileStatus) throws(StoreError) {
        if status.permissions & 0o022 != 0 {
            let mode = String(status.permissions, radix: 8)
            throw .unfit(path: path, reason: "others may write to the directory (mode \(mode)); chmod 0700 it")
        }
        if status.owner != 0, status.owner != ProcessIO.userID {
            throw .unfit(path: path, reason: "it belongs to the user \(status.owner); chown it to root")
        }
    }

    private func make() throws(StoreError) {
        do throws(SystemError) {
            try Files.createDirectory(path)
        } catch {
            guard [.ENOENT, .ENOTDIR, .EACCES, .EPERM, .EROFS].contains(error.code) else { throw .system(error) }
            throw .unfit(path: path, reason: "it cannot be made (\(error)); name another run directory")
        }
    }

    /// Sees that no file has the directory's name. There may be nothing of that name.
    /// - Throws: `unfit`.
    package func checkIsDirectory() throws(StoreError) {
        let status = try system { () throws(SystemError) in try FileStatus.of(path) }
        if let status { try checkIsDirectory(status) }
    }

    private func checkIsDirectory(_ status: FileStatus) throws(StoreError) {
        guard !status.isDirectory else { return }
        throw .unfit(path: path, reason: "it is no directory; remove it, or name another run directory")
    }

    /// Takes the store's lock, waiting for it at most `deadline`. It is released when the value's life ends.
    /// - Throws: `lockTimeout`, `system`.
    package func lock(deadline: Duration) throws(StoreError) -> StoreLock {
        try StoreLock(path: path + "/lock", until: BootClock.now() + deadline)
    }

    /// What the daemon last said of the node; nil when it has said nothing in this boot.
    /// - Throws: `corrupt`, `system`.
    package func nodeState() throws(StoreError) -> NodeState? {
        let file = nodePath
        guard let json = try readRecord(file, remedy: Remedy.node) else { return nil }
        let state = try decode(file, remedy: Remedy.node) { () throws(RecordError) in try NodeState(json: json) }
        return state.bootID == bootID ? state : nil
    }

    /// Replaces node.json. The daemon alone does this.
    package func save(_ state: NodeState) throws(StoreError) {
        try writeRecord(state.json, to: nodePath)
    }

    /// Removes the unfinished files that killed processes have left. For the daemon's start.
    package func sweep(under lock: borrowing StoreLock) throws(StoreError) {
        for name in try names(in: path) where name.hasPrefix("node.json.tmp-") {
            try system { () throws(SystemError) in _ = try Files.remove("\(path)/\(name)") }
        }
        for name in try names(in: blocksPath) where LockedFile.isTemporary(name) {
            try system { () throws(SystemError) in _ = try Files.remove("\(blocksPath)/\(name)") }
        }
        // These are written without the store's lock, and locked one by one instead.
        for name in try names(in: attachmentsPath) where LockedFile.isTemporary(name) {
            try system { () throws(SystemError) in try LockedFile.sweep(temporary: "\(attachmentsPath)/\(name)") }
        }
    }

    var nodePath: String { path + "/node.json" }
    var blocksPath: String { path + "/blocks" }
    var attachmentsPath: String { path + "/attachments" }
}
