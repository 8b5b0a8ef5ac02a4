import Glibc
package import NetTypes

/// Tells when the files of a directory change (inotify(7)).
///
/// Whoever waits reads the directory again: what changed is told for the sake of files that are still being written.
/// Changes by rename, by writing in place and by the symbolic link that a mounted Kubernetes volume switches are all
/// seen, and those of permissions.
package struct DirectoryWatch: ~Copyable, Sendable {
    private let file: FileDescriptor
    private let path: String
    private let events: UInt32

    /// Begins to watch; changes after this call are not missed.
    ///
    /// - Parameter removalsOnly: whether to hear of what is taken away only.
    /// - Throws: `ENOENT` or `ENOTDIR` when there is no such directory.
    package init(_ path: String, removalsOnly: Bool = false) throws(SystemError) {
        let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        let code = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("inotify_init", path, code) }
        let file = FileDescriptor(owning: number)
        let removals = IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
        let changes = IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_ATTRIB
        let events = UInt32(removalsOnly ? removals : removals | changes)
        try Self.add(path, events, to: file.rawValue)
        self.file = file
        self.path = path
        self.events = events
    }

    /// Watches another directory as well. One that is watched already stays so.
    ///
    /// - Throws: `ENOENT` or `ENOTDIR` when there is no such directory.
    package borrowing func add(_ path: String) throws(SystemError) {
        try Self.add(path, events, to: file.rawValue)
    }

    private static func add(_ path: String, _ events: UInt32, to file: Int32) throws(SystemError) {
        // SAFETY: the path is a Swift string, NUL-ended for the call.
        let watch = unsafe inotify_add_watch(file, path, events)
        let code = SystemErrorCode.last
        guard watch >= 0 else { throw SystemError("inotify_add_watch", path, code) }
    }

    /// Waits for a change, or for `wakeUp`.
    ///
    /// - Returns: what came first.
    package borrowing func wait(or wakeUp: WakeUp, until deadline: MonotonicTime) throws(SystemError) -> Outcome {
        let ready = try Poll.readable([wakeUp.descriptor, file.rawValue], until: deadline, name: path)
        if ready[0] { return .wokenUp }
        guard ready[1] else { return .timeout }
        let events = try drain()
        return events.contains { $0.mask & Self.gone != 0 } ? .directoryGone : .changed(events)
    }

    /// What has happened to one file.
    package struct Event: Sendable, Hashable {
        /// The file: its directory by the number of its watch, and its name there.
        package struct Place: Sendable, Hashable {
            package var directory: Int32
            package var name: String

            /// Names a file.
            package init(directory: Int32, name: String) {
                self.directory = directory
                self.name = name
            }
        }

        /// The file; without a name it is the directory itself.
        package var place: Place
        fileprivate let mask: UInt32

        /// Whether its content was changed, by somebody who has not closed it yet.
        package var isWritten: Bool { mask & UInt32(IN_MODIFY) != 0 }
        /// Whether nobody writes to it by this name any more: it was closed, replaced, or has gone.
        package var isDone: Bool { mask & UInt32(IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE) != 0 }
    }

    /// Why a wait ended.
    package enum Outcome: Sendable, Equatable {
        /// What has happened since the last wait, the earliest first.
        case changed([Event])
        /// The directory itself was removed or moved: this watch tells nothing more.
        case directoryGone
        case wokenUp
        case timeout
    }

    /// Reads events, not all where there are many: who writes without a pause would never let it end.
    private borrowing func drain() throws(SystemError) -> [Event] {
        while true {
            var outcome = (count: 0, code: SystemErrorCode(rawValue: 0))
            // SAFETY: read(2) writes at most the buffer's own length, and says how much.
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 8192) { buffer, filled in
                outcome.count = unsafe read(file.rawValue, buffer.baseAddress, buffer.count)
                outcome.code = .last
                filled = max(outcome.count, 0)
            }
            if outcome.count <= 0 {
                if outcome.code == .EAGAIN || outcome.count == 0 { return [] }
                if outcome.code != .EINTR { throw SystemError("read", path, outcome.code) }
                continue
            }
            return Event.list(in: bytes)
        }
    }

    private static let gone = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)
}

extension DirectoryWatch.Event {
    /// The events: each is wd, mask, cookie, length, all of 32 bits, and so many octets of name, which NULs fill up.
    fileprivate static func list(in bytes: [UInt8]) -> [Self] {
        var events: [Self] = []
        var rest = bytes[...]
        while rest.count >= 16 {
            func word(_ index: Int) -> UInt32 {
                rest.dropFirst(4 * index).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
            let name = rest.dropFirst(16).prefix(Int(word(3))).prefix { $0 != 0 }
            let place = Place(directory: Int32(bitPattern: word(0)), name: String(decoding: name, as: UTF8.self))
            events.append(Self(place: place, mask: word(1)))
            rest = rest.dropFirst(16 + Int(word(3)))
        }
        return events
    }
}
