import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeStore
import PodPlan
import TestKit
import Testing

@testable import CNIPlugin

@Suite("Pods that cannot be", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct PodFailureTests {
    @Test("A second ADD after an answered one is refused and changes nothing")
    func secondAdd() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").status == 0)
            try fixture.settle()
            // Not as `ip` shows them: to it the name of the pod's namespace depends on what others do in /run/netns. The
            // kernel comes to turn an operational state from "unknown" to "up" when it likes.
            func hostLinks() throws -> [Link] {
                var socket = try NetlinkSocket()
                return try socket.links().map { link in
                    var link = link
                    link.operState = .unknown
                    return link
                }
            }
            let (links, routes) = (try hostLinks(), try fixture.host("route"))
            let second = fixture.plugin.call("ADD")
            #expect(second.code == 999)
            #expect(second.message.contains("attached already"))
            let (linksAfter, routesAfter) = (try hostLinks(), try fixture.host("route"))
            #expect(linksAfter == links)
            #expect(routesAfter == routes)
            #expect(try fixture.plugin.store.attachment(PodTests.key)?.state == .complete)
        }
    }

    @Test("A link of that name in the pod is left alone by ADD and by the DEL that follows")
    func nameTakenInPod() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            try fixture.inPod("ip link add eth0 type veth peer name other")
            let before = try fixture.inPod("ip link")
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.code == 999)
            #expect(outcome.message.contains("eth0"))
            #expect(try fixture.hostLinks().isEmpty)
            #expect(try fixture.plugin.isEmpty())
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.inPod("ip link") == before)
        }
    }

    @Test("A foreign link with the host end's name is error 101 and left alone", arguments: ["", "apus:net:c9:eth0"])
    func nameTakenOnHost(alias: String) async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            _ = try fixture.host("link add \(PodTests.hostName) type veth peer name foreign0")
            if !alias.isEmpty { _ = try fixture.host("link set \(PodTests.hostName) alias \(alias)") }
            let before = try fixture.host("link show \(PodTests.hostName)")
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.code == 101)
            #expect(outcome.message.contains(PodTests.hostName))
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.host("link show \(PodTests.hostName)") == before)
            #expect(try fixture.plugin.isEmpty())
        }
    }

    @Test("Whose a link of that name is gets judged before anything is asked for or recorded")
    func nameJudgedFirst() async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            // An IPAM plugin that notes that it was called, and what the records said then.
            let script = "#!/bin/sh\ncat \(fixture.plugin.runDirectory)/attachments/* > \(directory.file("seen"))\n"
            _ = try directory.makeProgram("noting", script)
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState(blocks: [])
            // A pod link of Calico's: no alias, and the MAC of every host end.
            _ = try fixture.host(
                "link add \(PodTests.hostName) address ee:ee:ee:ee:ee:ee type veth peer name foreign0")
            let before = try fixture.host("link show \(PodTests.hostName)")
            #expect(fixture.plugin.call("ADD").code == 101)
            #expect(fixture.plugin.call("ADD", config: ("ipam", ["type": "noting"])).code == 101)
            #expect(try FileStatus.of(directory.file("seen")) == nil)
            // Killed before the judgement an ADD leaves a record without a link, and a DEL none at all.
            try fixture.plugin.writeNodeState()
            try Self.leavePending(try fixture.plugin.store, hostLink: "")
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.host("link show \(PodTests.hostName)") == before)
            #expect(try fixture.plugin.isEmpty())
        }
    }

    @Test("A link whose alias somebody has changed keeps its record and its address, and DEL and GC say so")
    func aliasChanged() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            #expect(fixture.plugin.call("ADD").status == 0)
            _ = try fixture.host("link set \(PodTests.hostName) alias uplink")
            let outcome = fixture.plugin.call("DEL")
            #expect(outcome.code == 999)
            #expect(outcome.message.contains(PodTests.hostName))
            try GarbageTests.awaitRelease(fixture.plugin)
            #expect(GarbageTests.collect(fixture.plugin, GarbageTests.none).message.contains(PodTests.hostName))
            let addresses = try fixture.plugin.store.attachment(PodTests.key)?.addresses
            #expect(addresses?.map(\.description) == ["10.244.0.1/32"])
            #expect(try fixture.hostLinks() == [PodTests.hostName])
            _ = try fixture.host("link set \(PodTests.hostName) alias apus:net:c1:eth0")
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("On a full disk a DEL takes everything away all the same")
    func fullDisk() async throws {
        let directory = try TemporaryDirectory()
        try await PodFixture.run(runDirectory: directory.path + "/small/run") { fixture in
            let mount = directory.path + "/small"
            try Files.createDirectory(mount)
            // Not for who is root in a user namespace alone.
            guard (try? Command.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", mount])) != nil else { return }
            defer { _ = try? Command.run(["umount", mount]) }
            try fixture.plugin.writeNodeState()
            for id in ["c1", "c2"] {
                #expect(fixture.plugin.call("ADD", id).status == 0)
                try fixture.inPod("ip link set eth0 down")
                try fixture.inPod("ip link set eth0 name e\(id)")
            }
            _ = try? Command.run(["dd", "if=/dev/zero", "of=\(mount)/rest", "bs=4096"])
            #expect(throws: SystemError.self) { try Files.replace(mount + "/more", with: [0]) }
            #expect(fixture.plugin.call("DEL", "c1").status == 0)
            #expect(try fixture.plugin.store.attachments().map(\.key.containerID) == ["c2"])
            #expect(fixture.plugin.call("DEL", "c2").status == 0)
            #expect(try fixture.plugin.isEmpty())
            #expect(try fixture.hostLinks().isEmpty)
        }
        withExtendedLifetime(directory) {}
    }

    @Test("A node that does not forward is error 11")
    func noForwarding() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            try Sysctl.write(["net", "ipv4", "ip_forward"], "0")
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.code == 11)
            #expect(outcome.message.contains("ip_forward"))
            #expect(try fixture.isUntouched())
        }
    }

    @Test("Without a daemon, and without a block or with one that is not announced: error 11, and nothing is left")
    func noDaemon() async throws {
        try await PodFixture.run { fixture in
            for attempt in 0..<3 {
                if attempt == 1 { try fixture.plugin.writeNodeState(blocks: []) }
                if attempt == 2 { try fixture.plugin.writeNodeState(isAnnounced: false) }
                let outcome = fixture.plugin.call("ADD")
                #expect(outcome.code == 11, "\(outcome)")
                #expect(outcome.message.contains("apusd"))
                #expect(try fixture.isUntouched())
            }
        }
    }

    @Test(
        "What a killed ADD left is taken over, at whichever step it was killed",
        arguments: [nil, "", "apus:net:c1:eth0"])
    func takeOver(alias: String?) async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let store = try fixture.plugin.store
            try Self.leavePending(store, hostLink: alias == nil ? "" : PodTests.hostName)
            if let alias {
                var socket = try NetlinkSocket()
                try socket.createVeth(
                    VethPair(hostName: PodTests.hostName, podName: "eth0", podNetNS: fixture.pod, mtuBytes: 1500))
                if !alias.isEmpty { _ = try fixture.host("link set \(PodTests.hostName) alias \(alias)") }
            }
            let outcome = fixture.plugin.call("ADD")
            #expect(outcome.status == 0, "\(outcome)")
            // The address that the killed ADD had is the one it goes on with.
            #expect(outcome.address == "10.244.0.1/32")
            #expect(try fixture.host("link show \(PodTests.hostName)").contains("alias apus:net:c1:eth0"))
            #expect(try fixture.inPod("ip addr show dev eth0").contains("10.244.0.1/32"))
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("A pair without an alias whose other end is not in the pod is not what a killed ADD left")
    func foreignUnmarked() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            try Self.leavePending(try fixture.plugin.store, hostLink: PodTests.hostName)
            _ = try fixture.host(
                "link add \(PodTests.hostName) address ee:ee:ee:ee:ee:ee type veth peer name foreign0")
            let before = try fixture.host("link show \(PodTests.hostName)")
            #expect(fixture.plugin.call("ADD").code == 101)
            #expect(try fixture.host("link show \(PodTests.hostName)") == before)
        }
    }

    @Test("A pair without an alias that has the name of a record's link, and is in no pod of its, stays")
    func foreignFormer() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            try Self.leavePending(try fixture.plugin.store, hostLink: "califormer")
            _ = try fixture.host("link add califormer address ee:ee:ee:ee:ee:ee type veth peer name foreign0")
            let before = try fixture.host("link show califormer")
            #expect(fixture.plugin.call("ADD").status == 0)
            #expect(try fixture.host("link show califormer") == before)
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.host("link show califormer") == before)
        }
    }

    @Test("A pair without an alias that another sandbox's ADD is about to mark stays", arguments: [true, false])
    func othersUnmarked(hasNamespace: Bool) async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            try Self.leavePending(try fixture.plugin.store, hostLink: "califormer")
            _ = try fixture.host("link add califormer address ee:ee:ee:ee:ee:ee type veth peer name foreign0")
            if !hasNamespace {
                fixture.plugin.netns = ""
                let mark = "ip link set califormer alias apus:net:former:eth0"
                try Command.run(["/bin/sh", "-c", "(sleep 0.05; \(mark)) > /dev/null 2>&1 &"])
            }
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.hostLinks() == ["califormer"])
            #expect(try fixture.plugin.isEmpty())
        }
    }

    @Test("What is taken back is the link that was made, whatever has its name by then")
    func undoneByIndex() async throws {
        try await PodFixture.run { fixture in
            let alias = try #require(LinkAlias(PodTests.key))
            let link = PodLink(alias: alias, hostName: PodTests.hostName, addresses: [], mtuBytes: 1500)
            var kernel = try PodKernel(sandbox: try NetNS.open(fixture.plugin.netns))
            try kernel.apply(.createPair(link))
            _ = try kernel.hostIndex(link.hostName)
            _ = try fixture.host("link set \(link.hostName) name calirenamed")
            _ = try fixture.host("link add \(link.hostName) address ee:ee:ee:ee:ee:ee type veth peer name foreign0")
            try kernel.undo(.deleteLink(name: link.hostName, alias: alias))
            #expect(try fixture.hostLinks() == [link.hostName])
        }
    }

    @Test("An address is recorded by what node.json says when the other IPAM plugin has answered")
    func nodeStateOfTheMoment() async throws {
        try await PodFixture.run { fixture in
            let directory = try TemporaryDirectory()
            let (next, now) = (directory.file("next"), "\(fixture.plugin.runDirectory)/node.json")
            let answer = #"{"cniVersion":"1.0.0","ips":[{"address":"10.244.0.9/32"}]}"#
            _ = try directory.makeProgram(
                "slow", "#!/bin/sh\n[ $CNI_COMMAND = ADD ] || exit 0\nmv \(next) \(now)\necho '\(answer)'\n")
            fixture.plugin.pluginPath = directory.path
            try fixture.plugin.writeNodeState(blocks: ["10.244.1.0/26"])
            _ = try Command.run(["mv", now, next])
            try fixture.plugin.writeNodeState()
            // The block is another node's by now, and that this node has an address of it nobody is told.
            #expect(fixture.plugin.call("ADD", config: ("ipam", ["type": "slow"])).code == 11)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("An ADD that fails before it has removed what a killed one left does so before its address is free")
    func leftover() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            try Self.leavePending(try fixture.plugin.store, hostLink: PodTests.hostName)
            _ = try fixture.host("link add \(PodTests.hostName) type veth peer name other0")
            _ = try fixture.host("link set \(PodTests.hostName) alias apus:net:c1:eth0")
            fixture.plugin.arguments = "IP=10.244.9.9"
            #expect(fixture.plugin.call("ADD").status == 1)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("A family that has no pool is no matter of forwarding")
    func noPoolOfFamily() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            try Sysctl.write(["net", "ipv6", "conf", "all", "forwarding"], "0")
            let ipam: (String, JSONValue) = ("ipam", ["type": "apus-ipam", "assign_ipv6": "true"])
            #expect(!fixture.plugin.call("ADD", config: ipam).message.contains("forward"))
            try Sysctl.write(["net", "ipv4", "ip_forward"], "0")
            #expect(fixture.plugin.call("ADD", config: ipam).message.contains("ip_forward"))
            #expect(try fixture.isUntouched())
        }
    }

    @Test("An ADD that gives fewer families than the killed one before it gives the others back")
    func fewerFamilies() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState(isDualStack: true)
            try Self.leavePending(try fixture.plugin.store, hostLink: "", families: [.ipv4, .ipv6])
            let ipam: (String, JSONValue) = ("ipam", ["type": "apus-ipam", "assign_ipv6": "false"])
            #expect(fixture.plugin.call("ADD", config: ipam).status == 0)
            let attachment = try fixture.plugin.store.attachment(PodTests.key)
            #expect(attachment?.addresses.map(\.family) == [.ipv4])
            let held = try fixture.plugin.store.blocks().flatMap(\.allocated)
            #expect(held.count == 1)
            #expect(fixture.plugin.call("DEL").status == 0)
            #expect(try fixture.isUntouched())
        }
    }

    @Test("While another process is at work on the key an ADD is error 11 and changes nothing")
    func busy() async throws {
        try await PodFixture.run { fixture in
            try fixture.plugin.writeNodeState()
            let store = try fixture.plugin.store
            let lock = try store.lock(deadline: .seconds(1))
            let claim = try store.claim(PodTests.key, now: BootClock.now(), under: lock)
            lock.unlock()
            #expect(fixture.plugin.call("ADD").code == 11)
            #expect(try fixture.hostLinks().isEmpty)
            #expect(try store.attachment(PodTests.key)?.state == .pending)
            withExtendedLifetime(claim) {}
        }
    }

    /// Leaves a pending record with an address, as an ADD does that is killed.
    private static func leavePending(
        _ store: RunDirectory, hostLink: String, families: [AddressFamily] = [.ipv4],
    ) throws {
        let lock = try store.lock(deadline: .seconds(1))
        guard case .fresh(var file) = try store.claim(PodTests.key, now: BootClock.now(), under: lock) else {
            Issue.record("the key is not free")
            return
        }
        let node = try #require(try store.nodeState())
        for family in families {
            _ = try store.allocate(AllocationRequest(family: family, mode: "bgp"), for: &file, node: node, under: lock)
        }
        try file.update { $0.hostLink = hostLink }
    }
}
