import Glibc
import LinuxOS
import NetTypes

/// Asks for a condition again and again until it holds, every few milliseconds.
///
/// - Returns: whether it held before `limit` was over.
package func eventually(within limit: Duration = .seconds(5), _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = BootClock.now() + limit
    while true {
        if try condition() { return true }
        if BootClock.now() >= deadline { return false }
        usleep(2000)
    }
}

/// Asks for a condition again and again until it holds, giving up the thread in between.
package func eventually(
    within limit: Duration = .seconds(5), _ condition: () async throws -> Bool,
) async throws -> Bool {
    let deadline = BootClock.now() + limit
    while true {
        if try await condition() { return true }
        if BootClock.now() >= deadline { return false }
        try await Task.sleep(for: .milliseconds(2))
    }
}
