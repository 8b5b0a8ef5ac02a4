import Glibc

/// /proc/net/dev: the names of a namespace's links, read without the kernel's lock on links.
package enum DeviceList {
    /// The largest list that is read: a pod has a few links; a host with thousands is not to be asked this way.
    private static let limit = 1 << 20

    /// Whether the calling thread's namespace has a link of the name.
    package static func contains(_ name: String) throws(SystemError) -> Bool {
        let path = "/proc/thread-self/net/dev"
        let bytes = try FileDescriptor.open(path, O_RDONLY).readAll(limit: limit, name: path)
        // Each line is the name, a colon and counters, after two lines of headings.
        return bytes.split(separator: 0x0a).dropFirst(2).contains { line in
            line.drop { $0 == 0x20 }.prefix { $0 != 0x3a }.elementsEqual(name.utf8)
        }
    }
}
