import LinuxOS
import Logging
import NetTypes
import Netlink
import Resources
import TestKit
import Testing

@testable import NodeAgent

@Suite("The node's forwarding", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct SettingUpkeepTests {
    private static func setting(_ parts: String...) throws -> String { try Sysctl.read(["net"] + parts) }

    private static func upkeep(_ directory: borrowing TemporaryDirectory) throws -> SettingUpkeep {
        SettingUpkeep(
            settings: ChangedSettings(stateDirectory: directory.path, node: "n"),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("IPv6 is not forwarded before the links that hear routers are known; they hear them from then on")
    func waits() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add d0 type veth peer name d1")
            let directory = try TemporaryDirectory()
            var upkeep = try Self.upkeep(directory)
            let now = BootClock.now()
            struct Unreadable: Error {}
            upkeep.turnOnForwarding(for: [.ipv4, .ipv6], at: now) { nil }
            upkeep.turnOnForwarding(for: [.ipv4, .ipv6], at: now) { throw Unreadable() }
            #expect(try Self.setting("ipv4", "ip_forward") == "1")
            #expect(try Self.setting("ipv6", "conf", "all", "forwarding") == "0")
            #expect(try Self.setting("ipv6", "conf", "d0", "accept_ra") == "1")

            upkeep.turnOnForwarding(for: [.ipv4, .ipv6], at: now) { ["d0"] }
            #expect(try Self.setting("ipv6", "conf", "all", "forwarding") == "1")
            #expect(try Self.setting("ipv6", "conf", "d0", "accept_ra") == "2")
            #expect(try Self.setting("ipv6", "conf", "d1", "accept_ra") == "1")
        }
    }

    @Test(
        "A record of former values that cannot be read or written keeps nothing from being set",
        arguments: ["", "{", "{\"v\":1,\"sysctls\":{}}", "directory"])
    func record(content: String) async throws {
        try await NetNSFixture.run { _ in
            let directory = try TemporaryDirectory()
            let settings = ChangedSettings(stateDirectory: directory.path, node: "n")
            if content == "directory" {
                try Files.createDirectory(settings.path)
            } else {
                try Files.replace(settings.path, with: Array(content.utf8))
            }
            var upkeep = try Self.upkeep(directory)
            upkeep.turnOnForwarding(for: [.ipv4], at: BootClock.now()) { nil }
            #expect(try Self.setting("ipv4", "ip_forward") == "1")
            guard content != "directory" else { return }
            #expect(try settings.restore() == ["net/ipv4/ip_forward = 0"])
            #expect(try Self.setting("ipv4", "ip_forward") == "0")
        }
    }

    @Test("What was found in an earlier boot is not given back, and what is found in this one is")
    func boots() async throws {
        try await NetNSFixture.run { _ in
            let directory = try TemporaryDirectory()
            func settings(_ boot: String) -> ChangedSettings {
                ChangedSettings(stateDirectory: directory.path, node: "n", bootID: boot)
            }
            let (forwarding, filter) = (["net", "ipv4", "ip_forward"], ["net", "ipv4", "conf", "lo", "rp_filter"])
            struct Forgotten: Error {}
            func set(_ boot: String, _ key: [String], _ value: String) throws {
                var forgotten: (any Error)?
                _ = try settings(boot).set(key, to: value) { forgotten = $0 }
                if let forgotten { throw forgotten }
            }
            try Sysctl.write(filter, "0")
            try set("one", forwarding, "1")
            try set("one", filter, "2")
            // The operator has the second boot forward by itself, and another value of the filter.
            try Sysctl.write(filter, "1")
            #expect(try settings("two").set(forwarding, to: "1") { _ in } == nil)
            try set("two", filter, "2")
            try set("two", filter, "2")
            #expect(try settings("two").recorded().count == 2)
            #expect(try settings("two").restore() == ["net/ipv4/conf/lo/rp_filter = 1"])
            #expect(try Self.setting("ipv4", "ip_forward") == "1")
        }
    }

    @Test("A record of an earlier version is of the boot in which the daemon comes upon it")
    func formerRecord() async throws {
        try await NetNSFixture.run { _ in
            let directory = try TemporaryDirectory()
            func settings(_ boot: String) -> ChangedSettings {
                ChangedSettings(stateDirectory: directory.path, node: "n", bootID: boot)
            }
            let record = Array(#"{"v":1,"sysctls":{"net/ipv4/ip_forward":"0"}}"#.utf8)
            try Files.replace(settings("one").path, with: record)
            try settings("one").nameBoot()
            try Sysctl.write(["net", "ipv4", "ip_forward"], "1")
            #expect(try settings("two").restore().isEmpty)
            #expect(try Self.setting("ipv4", "ip_forward") == "1")
            try Files.replace(settings("one").path, with: record)
            try settings("one").nameBoot()
            #expect(try settings("one").restore() == ["net/ipv4/ip_forward = 0"])
        }
    }

    @Test("Forwarding that was turned off without a word is turned on again after an overrun and at the next resync")
    func unheard() async throws {
        let directory = try TemporaryDirectory()
        let (path, run) = (directory.path, directory.file("run"))
        // The agent's thread is of the namespace in which it was started.
        let agent = try await NetNSFixture.run { _ in
            KernelAgent(
                executor: BlockingThreadExecutor(),
                options: AgentOptions(
                    nodeName: "n", configurationPath: path, runDirectory: run, stateDirectory: path),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        let pools = [IPPool(name: "p", cidr: prefix("10.244.0.0/16"))]
        await agent.configure(KernelConfiguration(nodeAddresses: [], ownBlocks: [], pools: pools))
        #expect(try await agent.forwarding() == "1")
        try await agent.turnOffForwarding()
        await agent.observe([.overrun])
        #expect(try await agent.forwarding() == "1")
        try await agent.turnOffForwarding()
        await agent.upkeep()
        #expect(try await agent.forwarding() == "1")
        await agent.stop()
    }

    @Test("Where nobody is to hear routers nothing is waited for once the links are known")
    func none() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add d0 type veth peer name d1")
            let directory = try TemporaryDirectory()
            var upkeep = try Self.upkeep(directory)
            upkeep.turnOnForwarding(for: [.ipv6], at: BootClock.now()) { [] }
            #expect(try Self.setting("ipv6", "conf", "all", "forwarding") == "1")
            #expect(try Self.setting("ipv4", "ip_forward") == "0")
            #expect(try Self.setting("ipv6", "conf", "d0", "accept_ra") == "1")
        }
    }
}

extension KernelAgent {
    private static let key = ["net", "ipv4", "ip_forward"]

    /// What the setting is in the agent's namespace.
    fileprivate func forwarding() throws -> String { try Sysctl.read(Self.key) }

    /// Does what another program might.
    fileprivate func turnOffForwarding() throws { try Sysctl.write(Self.key, "0") }
}
