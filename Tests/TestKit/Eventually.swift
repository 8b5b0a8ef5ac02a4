import Glibc
import LinuxOS
import NetTypes

/// Asks for a condition again and again until it holds, every few milliseconds.
///
/// - Returns: whether it held before `limit` was over.
package func eventually(within limit: Duration = .seconds(30), _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = BootClock.now() + limit
    while true {
        if try condition() { return true }
        if BootClock.now() >= deadline { return false }
        usleep(2000)
    }
}

/// Asks for a condition again and again until it holds, giving up the thread in between. The limit is long: where tests of
/// the whole suite share few threads, what is waited for may have none for a while.
package func eventually(
    within limit: Duration = .seconds(120), _ condition: () async throws -> Bool,
) async throws -> Bool {
    let deadline = BootClock.now() + limit
    while true {
        if try await condition() { return true }
        if BootClock.now() >= deadline { return false }
        try await Task.sleep(for: .milliseconds(2))
    }
}
