import Glibc
package import LinuxOS
package import Testing

/// A fresh network namespace on a thread of its own, with the loopback up, for one test.
///
/// `run` may be called by any number of tests at once: each has its own thread, and the namespace ends with it.
///
///     @Test(.enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
///     func routes() async throws {
///         try await NetNSFixture.run { fixture in
///             try fixture.ip("link add d0 type veth peer name d1")
///             …
///         }
///     }
package struct NetNSFixture: ~Copyable {
    /// The namespace the test runs in.
    package let netns: NetNS

    /// Whether the process may make namespaces and set up links in them.
    package static let isAvailable = hasCapabilities([CAP_SYS_ADMIN, CAP_NET_ADMIN])

    /// Why the test is skipped when it is.
    package static let reason: Comment = "needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run as root or under unshare -Urn"

    private static let (CAP_NET_ADMIN, CAP_SYS_ADMIN) = (12, 21)

    /// Runs `body` in a fresh namespace, on a thread that ends with it.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing NetNSFixture) throws -> Value,
    ) async throws -> Value {
        try await OwnThread.run {
            let fixture = NetNSFixture(netns: try NetNS.unshare())
            try fixture.ip("link set lo up")
            return try body(fixture)
        }
    }

    /// Another fresh namespace with the loopback up, for the other end of a link.
    package borrowing func makeNetNS() throws -> NetNS {
        // A second `unshare` would move this thread for good: `within` brings it back.
        try netns.within(orThrow: { $0 as any Error }) { () throws(any Error) in
            let other = try NetNS.unshare()
            _ = try Command.run(["ip", "link", "set", "lo", "up"])
            return other
        }
    }

    /// Runs `ip` with words parted by blanks in the test's namespace; throws unless it succeeds.
    @discardableResult
    package borrowing func ip(_ words: String) throws -> String {
        try Command.run(["ip"] + words.split(separator: " ").map(String.init))
    }

    /// Runs `ip` in another namespace.
    @discardableResult
    package borrowing func ip(in other: borrowing NetNS, _ words: String) throws -> String {
        try other.within(orThrow: { $0 as any Error }) { () throws(any Error) in
            try Command.run(["ip"] + words.split(separator: " ").map(String.init))
        }
    }

    private static func hasCapabilities(_ bits: [Int]) -> Bool {
        guard let bytes = try? Files.read("/proc/self/status", limit: 65536) else { return false }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        guard let mask = line.flatMap({ UInt64($0.dropFirst(7).drop { $0 == "\t" }, radix: 16) }) else { return false }
        return bits.allSatisfy { mask >> UInt64($0) & 1 == 1 }
    }
}
