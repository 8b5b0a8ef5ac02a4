import IPAMCore
import NetTypes
import Netlink
import PodLinks
import PodPlan
import TestKit
import Testing

/// What links and routes say of the pods there are, and what is deleted of them.
@Suite(.enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct PodLinkTests {
    private static let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")

    @Test("a marked pair and its route are an attachment; what is not marked is none")
    func survey() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add cali1 up type veth peer name p1")
            try fixture.ip("link set cali1 alias apus:net:c1:eth0")
            try fixture.ip("link set p1 up")
            try fixture.ip("route add 10.244.0.5/32 dev cali1 proto 97")
            try fixture.ip("link add cali2 up type veth peer name p2")
            try fixture.ip("link set cali2 alias apus:net:c2:eth0")
            try fixture.ip("link add cali3 up type veth peer name p3")
            try fixture.ip("link set cali3 alias somebody:net:c2:eth0")
            let found = try PodLinkSurvey.attachments(bootID: "boot", now: MonotonicTime(nanoseconds: 7))
            #expect(found.map(\.key.containerID) == ["c1"])
            #expect(found.first?.key == Self.key)
            #expect(found.first?.state == .complete)
            #expect(found.first?.addresses.map(\.description) == ["10.244.0.5/32"])
            #expect(found.first?.hostLink == "cali1")
        }
    }

    @Test(
        "an attachment has the MTU of its link, and the MAC of its neighbours unless the key says as much",
        arguments: ["02:11:22:33:44:55", nil])
    func surveyOfRequests(_ requested: String?) async throws {
        try await NetNSFixture.run { fixture in
            let mac = requested ?? PodLink.derivedMAC(of: Self.key).description
            try fixture.ip("link add cali1 up mtu 1400 type veth peer name p1")
            try fixture.ip("link set cali1 alias apus:net:c1:eth0")
            try fixture.ip("link set p1 up")
            for address in ["10.244.0.5", "fd00:10::5"] {
                try fixture.ip("route add \(address) dev cali1 proto 97")
                try fixture.ip("neighbour add \(address) lladdr \(mac) dev cali1 nud permanent")
            }
            // Of no address of the pod's, and not for good.
            try fixture.ip("neighbour add 10.244.0.4 lladdr 02:00:00:00:00:04 dev cali1 nud permanent")
            try fixture.ip("neighbour add 10.244.0.6 lladdr 02:00:00:00:00:06 dev cali1 nud reachable")
            let found = try PodLinkSurvey.attachments(bootID: "boot", now: MonotonicTime(nanoseconds: 7))
            #expect(found.map(\.requestedMAC) == [requested.flatMap { MACAddress($0) }])
            #expect(found.map(\.mtuBytes) == [1400])
        }
    }

    @Test("every pair's end is seen, with whose it is, Apus' routes and the permanent neighbours on it")
    func ends() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add cali1 up type veth peer name p1")
            try fixture.ip("link set cali1 alias apus:net:c1:eth0")
            try fixture.ip("link set p1 up")
            try fixture.ip("route add 10.244.0.5/32 dev cali1 proto 97")
            try fixture.ip("route add 10.244.0.6/32 dev cali1")
            try fixture.ip("route add 10.245.0.0/24 dev cali1 proto 97")
            try fixture.ip("neighbour add 10.244.0.5 lladdr 02:00:00:00:00:05 dev cali1 nud permanent")
            try fixture.ip("neighbour add 10.244.0.6 lladdr 02:00:00:00:00:06 dev cali1 nud reachable")
            var socket = try NetlinkSocket()
            let ends = try PodLinkSurvey.ends(over: &socket)
            #expect(ends.map(\.name).sorted() == ["cali1", "p1"])
            let end = try #require(ends.first { $0.name == "cali1" })
            #expect(end.key == Self.key)
            #expect(end.addresses.map(\.description) == ["10.244.0.5/32"])
            #expect(end.neighbours.map(\.description) == ["10.244.0.5"])
            #expect(ends.first { $0.name == "p1" }?.key == nil)
        }
    }

    @Test("a group is deleted together; a stranger in the group stays", arguments: [false, true])
    func group(hasStranger: Bool) async throws {
        try await NetNSFixture.run { fixture in
            for number in 1...4 {
                try fixture.ip("link add cali\(number) type veth peer name p\(number)")
                try fixture.ip("link set cali\(number) alias apus:net:c\(number):eth0")
            }
            try fixture.ip("link add stranger type veth peer name other")
            if hasStranger { try fixture.ip("link set stranger group 4711") }
            var socket = try NetlinkSocket()
            let links = try socket.links().filter { $0.name.hasPrefix("cali") }
            #expect(links.count == 4)
            let targets = links.map { link in
                PodLinkTarget(index: link.index, alias: link.alias.flatMap(LinkAlias.init(parsing:)))
            }
            var remover = try PodLinkRemover()
            let before = try remover.present(targets)
            #expect(before == targets)
            try remover.delete(targets.map(\.index), group: 4711)
            let names = try socket.links().map(\.name).sorted()
            #expect(names == ["lo", "other", "stranger"])
            let after = try remover.present(targets)
            #expect(after.isEmpty)
        }
    }

    @Test("a link of another alias is not what is meant")
    func foreign() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add cali1 type veth peer name p1")
            try fixture.ip("link set cali1 alias apus:net:other:eth0")
            var socket = try NetlinkSocket()
            let found = try socket.link(named: "cali1")
            let link = try #require(found)
            var remover = try PodLinkRemover()
            let alias = try #require(LinkAlias(Self.key))
            for expected in [alias, nil] {
                let present = try remover.present([PodLinkTarget(index: link.index, alias: expected)])
                #expect(present.isEmpty)
            }
        }
    }
}
