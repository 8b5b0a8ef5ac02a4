import CNIPlugin
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import TestKit
import Testing

/// Somebody has removed records while their pods live.
@Suite("Pods whose record is lost", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct LostRecordTests {
    @Test("What a killed DEL of a lost record has left keeps its addresses from others, and leads to its link")
    func killedDelete() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").address == "10.244.0.1/32")
            let directory = fixture.plugin.runDirectory
            _ = try Command.run(["rm", "-r", "\(directory)/blocks", "\(directory)/attachments"])
            let store = try fixture.plugin.store
            try store.create()
            let lock = try store.lock(deadline: .seconds(1))
            _ = try store.claim(PodTests.key, now: BootClock.now(), under: lock)
            lock.unlock()
            try GarbageTests.awaitRelease(fixture.plugin)
            let pod = try fixture.makeOtherPod()
            var other = fixture.plugin
            other.netns = "/proc/self/fd/\(pod.descriptor.rawValue)"
            #expect(other.call("ADD", "c2").address == "10.244.0.2/32")
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try !fixture.hostLinks().contains(PodTests.hostName))
            #expect(other.call("DEL", "c2").status == 0)
            #expect(try fixture.isUntouched())
            withExtendedLifetime(pod) {}
        }
    }

    @Test("A DEL that finds a record of nothing removes the key's link, and gives back its address")
    func emptyRecord() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").status == 0)
            _ = try Command.run(["sh", "-c", "rm \(fixture.plugin.runDirectory)/attachments/*"])
            let store = try fixture.plugin.store
            let lock = try store.lock(deadline: .seconds(1))
            _ = try store.claim(PodTests.key, now: BootClock.now(), under: lock)
            lock.unlock()
            try GarbageTests.awaitRelease(fixture.plugin)
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("A DEL of a lost record that fails leaves a record of all there is", arguments: ["DEL", "GC"])
    func failedDelete(verb: String) async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            _ = try directory.makeProgram("failing", "#!/bin/sh\necho '{\"code\":11,\"msg\":\"later\"}'\nexit 1\n")
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").status == 0)
            _ = try Command.run(["sh", "-c", "rm \(fixture.plugin.runDirectory)/attachments/*"])
            let outcome =
                verb == "GC"
                ? GarbageTests.collect(fixture.plugin, GarbageTests.none, ipam: ["type": "failing"])
                : fixture.plugin.call("DEL", config: ("ipam", ["type": "failing"]))
            #expect(outcome.message.contains("later"), "\(outcome)")
            let record = try fixture.plugin.store.attachment(PodTests.key)
            #expect(record?.hostLink == PodTests.hostName)
            #expect(record?.hostLinkIndex ?? 0 != 0)
            #expect(record?.addresses.map(\.description) == ["10.244.0.1/32"])
            try GarbageTests.awaitRelease(fixture.plugin)
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test(
        "DEL finds the link of a lost record though the runtime does not say the pod's name",
        arguments: ["", "attachments"])
    func lostRecord(part: String) async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            fixture.plugin.arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx"
            #expect(fixture.plugin.call("ADD").status == 0)
            _ = try Command.run(["rm", "-r", "\(fixture.plugin.runDirectory)/\(part)"])
            fixture.plugin.arguments = ""
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }
}
