import LinuxOS
import NetTypes

/// The store's lock, held for as long as the value lives. Verbs that need it take it as an argument, as proof.
package struct StoreLock: ~Copyable, Sendable {
    private let file: FileLock

    /// Takes the lock on the file at `path`, making the file if need be.
    init(path: String, until deadline: MonotonicTime) throws(StoreError) {
        do throws(SystemError) {
            // Somebody may have emptied the directory while this process waited: then others lock another file.
            while true {
                let file = try FileLock.lock(path, deadline: deadline)
                if try file.isStill(at: path) {
                    self.file = file
                    return
                }
            }
        } catch {
            throw error.code == .ETIMEDOUT ? .lockTimeout(path: path) : .system(error)
        }
    }

    /// Releases the lock before the end of its scope.
    package consuming func unlock() {}
}
