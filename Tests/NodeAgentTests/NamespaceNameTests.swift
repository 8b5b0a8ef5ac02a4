import Glibc
import LinuxOS
import Netlink
import TestKit
import Testing

@testable import NodeAgent

@Suite("A name that one daemon of a network namespace has")
struct NamespaceNameTests {
    @Test(
        "root's name is given once, and its holder named", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
    func once() async throws {
        try await NetNSFixture.run { _ in
            let first = try Self.taken("apusd")
            #expect(first.squatter == nil)
            #expect(try Self.refusal("apusd")?.hasSuffix("(process \(getpid())) of user 0") ?? false)
            #expect(try Self.refusal("apus") == nil)
            _ = consume first
            #expect(try Self.isFree("apusd"))
        }
    }

    @Test(
        "another user's name keeps nobody off, and the daemon beside it keeps the next one off",
        .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
    func squatter() async throws {
        try await NetNSFixture.run { _ in
            guard let squatter = try AbstractName.take("apusd") else {
                Issue.record("the name is not free")
                return
            }
            try Self.give("apusd", to: 65534)
            let daemon = try Self.taken("apusd")
            #expect(daemon.squatter?.description.hasSuffix("of user 65534") ?? false)
            #expect(try Self.refusal("apusd") != nil)
            _ = consume squatter
            // The name itself is free by now.
            #expect(try Self.refusal("apusd") != nil)
            _ = consume daemon
            #expect(try Self.isFree("apusd"))
        }
    }

    private static func taken(_ name: String) throws -> NamespaceName {
        switch try NamespaceName.take(name) {
        case .taken(let name): return name
        case .refused(let holder): throw Refused(holder: holder)
        }
    }

    private struct Refused: Error { let holder: NamespaceName.Holder? }

    /// Who keeps the caller off; nil when nobody does.
    private static func refusal(_ name: String) throws -> String? {
        switch try NamespaceName.take(name) {
        case .taken: return nil
        case .refused(let holder): return holder?.description ?? ""
        }
    }

    /// A program that another test starts has every descriptor of this process for the moment before it is another.
    private static func isFree(_ name: String) throws -> Bool { try eventually { try refusal(name) == nil } }

    /// Makes the socket of a name another user's: a program of that user's would have made it so.
    private static func give(_ name: String, to user: uid_t) throws {
        let inode = try #require(try UnixName.all().first { $0.name == name }?.inode)
        let number = try #require(
            try Files.list("/proc/self/fd").first {
                Files.target(ofLink: "/proc/self/fd/\($0)") == "socket:[\(inode)]"
            }.flatMap { Int32($0) })
        try #require(fchown(number, user, user) == 0)
    }
}
