import LinuxOS
import NetTypes
import Netlink
import TestKit
import Testing

@Suite("Tracked connections", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct ConntrackTests {
    @Test(
        "What an address has begun and what was led to it is forgotten, the rest stays, whatever the kernel can filter",
        arguments: [["127.0.0.2"], ["127.0.0.2", "127.0.0.9", "127.0.0.3", "::9"]], [true, false])
    func flush(words: [String], isFiltered: Bool) async throws {
        try await NetNSFixture.run { _ in
            for rule in [
                "add table ip t", "add chain ip t out { type filter hook output priority 0; }",
                "add rule ip t out ct state new accept",
            ] {
                _ = try Command.run(["nft", rule])
            }
            for source in ["127.0.0.2", "127.0.0.3", "127.0.0.4"] {
                _ = try Command.run(["ping", "-c", "1", "-W", "2", "-I", source, "127.0.0.1"])
                _ = try Command.run(["bash", "-c", "echo x > /dev/udp/\(source)/5001"])
            }
            #expect(try Self.tracked() == ["127.0.0.2", "127.0.0.3", "127.0.0.4"])
            let addresses = words.compactMap { IPAddress($0) }
            try ConntrackSocket.flush(addresses, isFiltered: isFiltered)
            #expect(try Self.tracked() == (words.count == 1 ? ["127.0.0.3", "127.0.0.4"] : ["127.0.0.4"]))
            // Nothing is left to forget.
            try ConntrackSocket.flush(addresses, isFiltered: isFiltered)
            #expect(try Self.tracked().contains("127.0.0.4"))
        }
    }

    /// The addresses besides the loopback's own that are at one end of two tracked connections, one each way.
    private static func tracked() throws -> [String] {
        var count: [String: Int] = [:]
        for line in try Command.run(["cat", "/proc/net/nf_conntrack"]).split(separator: "\n") {
            for word in Set(line.split(separator: " ")) where word.hasPrefix("src=") && word != "src=127.0.0.1" {
                count[String(word.dropFirst(4)), default: 0] += 1
            }
        }
        return count.filter { $0.value == 2 }.keys.sorted()
    }
}
