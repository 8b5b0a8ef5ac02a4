import Glibc

/// /proc/net/dev: the names of a namespace's links, read without the kernel's lock on links.
package struct DeviceList: ~Copyable, Sendable {
    /// The largest list that is read: a pod has a few links; a host with thousands is not to be asked this way.
    private static let limit = 1 << 20
    private static let path = "/proc/thread-self/net/dev"

    private let file: FileDescriptor

    /// Opens the list of the calling thread's namespace; it stays that one's, wherever the thread goes.
    package init() throws(SystemError) {
        file = try FileDescriptor.open(Self.path, O_RDONLY)
    }

    /// Whether there is a link of the name now.
    package borrowing func contains(_ name: String) throws(SystemError) -> Bool {
        // From its beginning on the list is made anew.
        let place = lseek(file.rawValue, 0, SEEK_SET)
        let code = SystemErrorCode.last
        guard place == 0 else { throw SystemError("seek", Self.path, code) }
        let bytes = try file.readAll(limit: Self.limit, name: Self.path, size: 0)
        // Each line is the name, a colon and counters, after two lines of headings.
        return bytes.split(separator: 0x0a).dropFirst(2).contains { line in
            line.drop { $0 == 0x20 }.prefix { $0 != 0x3a }.elementsEqual(name.utf8)
        }
    }
}
