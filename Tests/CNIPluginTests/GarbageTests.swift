import CNIPlugin
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import TestKit
import Testing

@Suite("GC", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct GarbageTests {
    static let none: JSONValue = []

    static func entry(_ containerID: String) -> JSONValue {
        ["containerID": .string(containerID), "ifname": "eth0"]
    }

    /// One call; `list` nil leaves the key out.
    static func collect(
        _ plugin: PluginFixture, _ list: JSONValue?, key: String = "cni.dev/valid-attachments",
        network: JSONValue = "net", ipam: JSONValue? = nil,
    ) -> CNIPlugin.Outcome {
        let members = list.map { [(key, $0)] } ?? []
        return plugin.call(
            "GC", "",
            members: [("cniVersion", "1.1.0"), ("name", network)] + members + (ipam.map { [("ipam", $0)] } ?? []))
    }

    /// Adds c1, c2 ….
    static func add(_ count: Int, to fixture: inout PodFixture) throws -> [String] {
        try fixture.plugin.writeNodeState()
        var addresses: [String] = []
        for number in 1...count {
            addresses.append(try #require(fixture.plugin.call("ADD", "c\(number)").address))
            // One namespace for all: what is collected does not depend on the name in the pod.
            try fixture.inPod("ip link set eth0 down")
            try fixture.inPod("ip link set eth0 name e\(number)")
        }
        try awaitRelease(fixture.plugin)
        return addresses
    }

    /// A program that another test starts has this process' descriptors for a moment, and with them the locks on the
    /// records; GC leaves alone what somebody is at work on.
    static func awaitRelease(_ plugin: PluginFixture) throws {
        let store = try plugin.store
        for attachment in try store.attachments() {
            let isReleased = try eventually {
                let lock = try store.lock(deadline: .seconds(1))
                switch try store.find(attachment.key, under: lock) {
                case .busy: return false
                case .none: return true
                case .found: return true
                }
            }
            #expect(isReleased)
        }
    }

    @Test("Without a list nothing is done", arguments: [nil, JSONValue.null])
    func noList(list: JSONValue?) async throws {
        try await PodFixture.run { fixture in
            _ = try Self.add(2, to: &fixture)
            #expect(Self.collect(fixture.plugin, list) == CNIPlugin.Outcome(answer: nil, status: 0))
            #expect(try fixture.hostLinks().count == 2)
            #expect(try fixture.plugin.store.attachments().count == 2)
        }
    }

    @Test(
        "What is not listed goes, what is listed stays",
        arguments: ["cni.dev/valid-attachments", "cni.dev/attachments"])
    func listed(key: String) async throws {
        try await PodFixture.run { fixture in
            _ = try Self.add(3, to: &fixture)
            let kept = Self.collect(fixture.plugin, [Self.entry("c2")], key: key)
            #expect(kept == CNIPlugin.Outcome(answer: nil, status: 0))
            #expect(try fixture.plugin.store.attachments().map(\.key.containerID) == ["c2"])
            #expect(try fixture.hostLinks().count == 1)
            #expect(try fixture.host("route show proto 97").split(separator: "\n").count == 1)
            #expect(Self.collect(fixture.plugin, Self.none).status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("Another network's are not looked at")
    func scope() async throws {
        try await PodFixture.run { fixture in
            _ = try Self.add(1, to: &fixture)
            #expect(Self.collect(fixture.plugin, Self.none, network: "other").status == 0)
            #expect(try fixture.plugin.store.attachments().count == 1)
            #expect(try fixture.hostLinks().count == 1)
        }
    }

    @Test("A list that cannot be read is error 7, not an empty one")
    func unreadable() async throws {
        try await PodFixture.run { fixture in
            _ = try Self.add(1, to: &fixture)
            for list: JSONValue in ["text", [["containerID": "c1"]], [["ifname": "eth0"]], [5]] {
                #expect(Self.collect(fixture.plugin, list).code == 7)
            }
            #expect(try fixture.hostLinks().count == 1)
        }
    }

    @Test("A link without a record goes by its alias; one that is foreign stays")
    func orphans() async throws {
        try await PodFixture.run { fixture in
            _ = try Self.add(2, to: &fixture)
            _ = try Command.run(["rm", "-r", fixture.plugin.runDirectory])
            for (name, alias) in [
                ("calinone", ""), ("califoreign", "apus:other:c1:eth0"), ("veth9", "apus:net:c9:eth0"),
            ] {
                _ = try fixture.host("link add \(name) type veth peer name p\(name)")
                if !alias.isEmpty { _ = try fixture.host("link set \(name) alias \(alias)") }
            }
            #expect(Self.collect(fixture.plugin, [Self.entry("c1")]).status == 0)
            #expect(try fixture.hostLinks().sorted() == ["califoreign", "calinone", Self.hostName("c1")].sorted())
            #expect(try fixture.host("-br link").contains("veth9"))
            #expect(try fixture.plugin.isEmpty())
        }
    }

    @Test("An address that no record leads to is free again")
    func stray() async throws {
        try await PodFixture.run { fixture in
            _ = try Self.add(1, to: &fixture)
            _ = try Command.run(["rm", "-r", "\(fixture.plugin.runDirectory)/attachments"])
            #expect(Self.collect(fixture.plugin, Self.none).status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("A record that another process is at work on stays")
    func busy() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let store = try fixture.plugin.store
            let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")
            let lock = try store.lock(deadline: .seconds(1))
            let claim = try store.claim(key, now: BootClock.now(), under: lock)
            lock.unlock()
            #expect(Self.collect(fixture.plugin, Self.none).status == 0)
            #expect(try store.attachment(key)?.state == .pending)
            withExtendedClaim(claim)
        }
    }

    @Test("A record younger than the call stays")
    func young() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let store = try fixture.plugin.store
            let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")
            let lock = try store.lock(deadline: .seconds(1))
            _ = try store.claim(key, now: BootClock.now() + .seconds(60), under: lock)
            lock.unlock()
            #expect(Self.collect(fixture.plugin, Self.none).status == 0)
            #expect(try store.attachment(key) != nil)
        }
    }

    @Test("Another IPAM plugin has a DEL for each that goes, and its own GC when their links are gone")
    func delegate() async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            let seen = directory.file("seen")
            let script = """
                #!/bin/sh
                test "$CNI_COMMAND" = ADD && echo '{"ips":[{"address":"10.244.0.9/24"}]}'
                echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME $(ip -o link show type veth | grep -c cali)" >> \(seen)

                """
            _ = try directory.makeProgram("noting", script)
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD", config: ("ipam", ["type": "noting"])).status == 0)
            try Self.awaitRelease(fixture.plugin)
            let outcome = Self.collect(fixture.plugin, Self.none, ipam: ["type": "noting"])
            #expect(outcome == CNIPlugin.Outcome(answer: nil, status: 0))
            let calls = String(decoding: try Files.read(seen, limit: 4096), as: UTF8.self)
            #expect(calls.split(separator: "\n") == ["ADD c1 eth0 0", "DEL c1 eth0 0", "GC  eth0 0"])
            #expect(try fixture.isUntouched())
            _ = Self.collect(fixture.plugin, nil, ipam: ["type": "noting"])
            #expect(String(decoding: try Files.read(seen, limit: 4096), as: UTF8.self) == calls + "GC  eth0 0\n")
        }
    }

    @Test("What another IPAM plugin has not given back it is asked for again", arguments: ["GC", "DEL"])
    func delegateRefuses(verb: String) async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            let (seen, refusal) = (directory.file("seen"), directory.file("refusal"))
            let script = """
                #!/bin/sh
                test "$CNI_COMMAND" = ADD && echo '{"ips":[{"address":"10.244.0.9/24"}]}'
                test "$CNI_COMMAND" = DEL && cat \(refusal) && exit 1
                echo "$CNI_COMMAND $CNI_CONTAINERID" >> \(seen)

                """
            _ = try directory.makeProgram("noting", script)
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD", config: ("ipam", ["type": "noting"])).status == 0)
            try Self.awaitRelease(fixture.plugin)
            func remove() -> CNIPlugin.Outcome {
                verb == "GC"
                    ? Self.collect(fixture.plugin, Self.none, ipam: ["type": "noting"])
                    : fixture.plugin.call("DEL", config: ("ipam", ["type": "noting"]))
            }
            try Files.replace(refusal, with: Array(#"{"code":11,"msg":"later"}"#.utf8))
            #expect(remove().message.contains("later"))
            #expect(try fixture.hostLinks().isEmpty)
            #expect(String(decoding: try Files.read(seen, limit: 4096), as: UTF8.self) == "ADD c1\n")
            try Files.remove(refusal)
            #expect(remove().status == 0)
            let calls = String(decoding: try Files.read(seen, limit: 4096), as: UTF8.self)
            #expect(calls.hasPrefix("ADD c1\nDEL c1\n"))
            #expect(try fixture.isUntouched())
        }
    }

    @Test("DEL takes the link away although another IPAM plugin is gone, and asks for it again")
    func delegateGone() async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            let seen = directory.file("seen")
            let script = """
                #!/bin/sh
                test "$CNI_COMMAND" = ADD && echo '{"ips":[{"address":"10.244.0.9/24"}]}'
                echo "$CNI_COMMAND" >> \(seen)

                """
            let program = try directory.makeProgram("noting", script)
            let ipam: (String, JSONValue) = ("ipam", ["type": "noting"])
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD", config: ipam).status == 0)
            _ = try Command.run(["mv", program, program + ".away"])
            #expect(fixture.plugin.call("DEL", config: ipam).message.contains("no plugin \"noting\""))
            #expect(try fixture.hostLinks().isEmpty)
            _ = try Command.run(["mv", program + ".away", program])
            #expect(fixture.plugin.call("DEL", config: ipam).status == 0)
            #expect(String(decoding: try Files.read(seen, limit: 4096), as: UTF8.self) == "ADD\nDEL\n")
            #expect(try fixture.isUntouched())
        }
    }

    @Test("Another IPAM plugin's GC waits for what is at work, or younger than the list", arguments: [true, false])
    func delegateWaits(isBusy: Bool) async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            let seen = directory.file("seen")
            _ = try directory.makeProgram("noting", "#!/bin/sh\necho $CNI_COMMAND >> \(seen)\n")
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState()
            let store = try fixture.plugin.store
            let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")
            let lock = try store.lock(deadline: .seconds(1))
            let since = BootClock.now() + .seconds(isBusy ? 0 : 60)
            let claim = isBusy ? try store.claim(key, now: since, under: lock) : nil
            if !isBusy { _ = try store.claim(key, now: since, under: lock) }
            lock.unlock()
            #expect(Self.collect(fixture.plugin, Self.none, ipam: ["type": "noting"]).status == 0)
            #expect(try FileStatus.of(seen) == nil)
            // Of another network's nobody waits.
            #expect(Self.collect(fixture.plugin, Self.none, network: "other", ipam: ["type": "noting"]).status == 0)
            #expect(try FileStatus.of(seen) != nil)
            withExtendedLifetime(claim) {}
        }
    }

    @Test("What cannot be removed is named at the end, and the rest is removed")
    func failures() async throws {
        try await PodFixture.run { fixture in
            _ = try Self.add(2, to: &fixture)
            let file = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0").fileName
            try Files.replace("\(fixture.plugin.runDirectory)/attachments/\(file)", with: Array("torn".utf8))
            let outcome = Self.collect(fixture.plugin, Self.none)
            #expect(outcome.status == 1)
            #expect(outcome.message.contains(file))
            #expect(try fixture.hostLinks() == [Self.hostName("c1")])
        }
    }

    private static func hostName(_ containerID: String) -> String {
        "cali" + AttachmentKey(network: "net", containerID: containerID, ifName: "eth0").digest.prefix(11)
    }
}

/// Keeps a claim, and with it the lock on the record, to this point.
private func withExtendedClaim(_ claim: consuming AttachmentClaim) {}
