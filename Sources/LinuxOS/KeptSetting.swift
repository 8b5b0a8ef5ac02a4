import Glibc

/// A setting of a network namespace that is read again and again: its file stays open. The kernel makes its text anew for
/// each reading from the beginning.
package final class KeptSetting: Sendable {
    /// More than a number has.
    private static let capacity = 64

    private let path: [String]
    /// Nil where it could not be opened, as with a module that is not loaded: each reading tries again.
    private let file: FileDescriptor?

    /// Opens the setting of the namespace that the calling thread is in.
    ///
    /// - Parameter path: the parts below /proc/sys.
    package init(_ path: [String]) {
        self.path = path
        file = try? Sysctl.open(path)
    }

    /// The value, as `Sysctl.read` answers it to a thread in the namespace.
    package func read() throws(SystemError) -> String {
        if let value = kept() { return value }
        return try Sysctl.read(path)
    }

    /// What the open file says; nil where that is nothing, its module having been unloaded, or too much.
    private func kept() -> String? {
        switch file {
        case .none: return nil
        case .some(let file):
            var count = 0
            // SAFETY: pread(2) writes at most the buffer's own length, and says how much.
            var octets = unsafe [UInt8](unsafeUninitializedCapacity: Self.capacity) { buffer, filled in
                count = unsafe pread(file.rawValue, buffer.baseAddress, buffer.count, 0)
                filled = max(count, 0)
            }
            guard (1..<Self.capacity).contains(count) else { return nil }
            while octets.last == 0x0a { octets.removeLast() }
            return String(decoding: octets, as: UTF8.self)
        }
    }
}
