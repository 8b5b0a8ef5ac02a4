import LinuxOS
import NetTypes
import Netlink
import TestKit
import Testing

@Suite("Veth pairs", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct VethTests {
    private static let podMAC = MACAddress(truncating: 0x0200_0000_0001)

    @Test("One message makes both ends, the pod's in its namespace; the host's is up and keeps its multicast flag")
    func create() async throws {
        try await NetNSFixture.run { fixture in
            let pod = try fixture.makeNetNS()
            var socket = try NetlinkSocket()
            try socket.createVeth(
                VethPair(hostName: "cali0", podName: "eth0", podNetNS: pod, mtuBytes: 1450, podMAC: Self.podMAC))
            let host = try fixture.ip("-d -o link show cali0")
            #expect(host.contains("mtu 1450"))
            #expect(host.contains("MULTICAST,UP"))
            #expect(host.contains("ee:ee:ee:ee:ee:ee"))
            #expect(host.contains("veth"))
            let inside = try fixture.ip(in: pod, "-o link show eth0")
            #expect(inside.contains("mtu 1450"))
            #expect(inside.contains("02:00:00:00:00:01"))
            #expect(!inside.contains(",UP"))

            let link = try #require(try socket.link(named: "cali0"))
            #expect(link.kind == "veth")
            #expect(link.isUp)
            #expect(!link.isRunning)
            #expect(link.macAddress == .hostEnd)
            #expect(link.mtuBytes == 1450)
            #expect(link.peerNetNSID != nil)
            #expect(try socket.link(index: link.index) == link)
            #expect(try socket.links().map(\.name).sorted() == ["cali0", "lo"])
        }
    }

    @Test("A name that is taken is EEXIST, on either side, and leaves nothing on the other")
    func taken() async throws {
        try await NetNSFixture.run { fixture in
            let pod = try fixture.makeNetNS()
            try fixture.ip(in: pod, "link add eth0 type veth peer name other")
            try fixture.ip("link add cali1 type veth peer name other")
            var socket = try NetlinkSocket()
            for (host, inside) in [("cali0", "eth0"), ("cali1", "eth1")] {
                let pair = VethPair(hostName: host, podName: inside, podNetNS: pod, mtuBytes: 1500)
                let code = Self.code { () throws(NetlinkError) in try socket.createVeth(pair) }
                #expect(code == .EEXIST)
            }
            #expect(try socket.link(named: "cali0") == nil)
            #expect(try !fixture.ip(in: pod, "-br link").contains("eth1"))
        }
    }

    @Test("Alias, group and the settings of both families go in by one message and are read back")
    func settings() async throws {
        try await NetNSFixture.run { fixture in
            let pod = try fixture.makeNetNS()
            var socket = try NetlinkSocket()
            try socket.createVeth(VethPair(hostName: "cali0", podName: "eth0", podNetNS: pod, mtuBytes: 1500))
            let index = try #require(try socket.link(named: "cali0")).index
            try socket.setLink(
                index,
                LinkSettings(
                    mtuBytes: 1400, alias: "apus:net:id:eth0", group: 7, proxyARP: true, ipv4Forwarding: true,
                    reversePathFilter: .strict, ipv6AddressGeneration: LinkSettings.IPv6AddressGeneration.none))
            try socket.setProxyDelay(index, milliseconds: 0)
            let link = try #require(try socket.link(index: index))
            #expect(link.alias == "apus:net:id:eth0")
            #expect(link.group == 7)
            #expect(link.mtuBytes == 1400)
            #expect(link.isUp)
            for (name, value) in [("proxy_arp", "1"), ("forwarding", "1"), ("rp_filter", "1")] {
                #expect(try Sysctl.read(["net", "ipv4", "conf", "cali0", name]) == value)
            }
            #expect(try Sysctl.read(["net", "ipv6", "conf", "cali0", "addr_gen_mode"]) == "1")
            #expect(try Sysctl.read(["net", "ipv4", "neigh", "cali0", "proxy_delay"]) == "0")
        }
    }

    @Test("A packet goes through: both ends up, the pod's address, routes and permanent neighbours from one batch each")
    func packet() async throws {
        try await NetNSFixture.run { fixture in
            let pod = try fixture.makeNetNS()
            var socket = try NetlinkSocket()
            try socket.createVeth(
                VethPair(hostName: "cali0", podName: "eth0", podNetNS: pod, mtuBytes: 1500, podMAC: Self.podMAC))
            try fixture.ip("addr add 192.168.1.1/32 dev lo")
            let host = try #require(try socket.link(named: "cali0")).index
            var inside = try pod.within(orThrow: { NetlinkError(.socketOpen, "pod", $0.code) }) {
                () throws(NetlinkError) in try NetlinkSocket()
            }
            let index = try #require(try inside.link(named: "eth0")).index
            let (gateway, address) = (IPAddress.v4(.init(169, 254, 1, 1)), IPAddress.v4(.init(10, 244, 0, 5)))
            let everywhere = IPPrefix(masking: .v4(.init(0, 0, 0, 0)), length: 0)
            let podBatch = NetlinkBatch([
                .setLink(index: index, LinkSettings(isUp: true)),
                .addRoute(
                    Route(to: gateway.hostPrefix, hops: [.init(linkIndex: index)], scope: .link, protocolNumber: 3)),
                .addRoute(
                    Route(to: everywhere, hops: [.init(linkIndex: index, gateway: gateway)], protocolNumber: 3)),
                .setNeighbour(Neighbour(linkIndex: index, address: gateway, macAddress: .hostEnd)),
                .addAddress(LinkAddress(linkIndex: index, address: CIDRAddress(address, length: 32))),
            ])
            let podFailures = try inside.execute(podBatch, acknowledgeEach: true)
            #expect(podFailures.isEmpty)
            let hostBatch = NetlinkBatch([
                .addRoute(
                    Route(to: address.hostPrefix, hops: [.init(linkIndex: host)], scope: .link, protocolNumber: 97)),
                .setNeighbour(
                    Neighbour(linkIndex: host, address: address, macAddress: Self.podMAC, protocolNumber: 97)),
            ])
            let hostFailures = try socket.execute(hostBatch, acknowledgeEach: true)
            #expect(hostFailures.isEmpty)
            // The kernel opens the ends' queues in work items of their own, after both are up, and drops what comes before.
            let isOpen = try eventually {
                let ends = try fixture.ip("-o link show type veth") + fixture.ip(in: pod, "-o link show type veth")
                return !ends.contains("qdisc noop ") && !ends.contains("NO-CARRIER")
            }
            #expect(isOpen)
            try Command.run(["ping", "-c", "1", "-W", "10", "-I", "192.168.1.1", "10.244.0.5"])
            let neighbours = try socket.neighbours(linkIndex: host)
            #expect(
                neighbours == [
                    Neighbour(linkIndex: host, address: address, macAddress: Self.podMAC, protocolNumber: 97)
                ])
            let addresses = try inside.addresses(linkIndex: index).filter { $0.address.address.family == .ipv4 }
            #expect(addresses.map(\.address) == [CIDRAddress(address, length: 32)])
        }
    }

    @Test("An IPv6 address without detection works at once")
    func ipv6Address() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add d0 type veth peer name d1")
            var socket = try NetlinkSocket()
            let index = try #require(try socket.link(named: "d0")).index
            let address = try #require(CIDRAddress("fe80::ecee:eeff:feee:eeee/64"))
            try socket.execute(.addAddress(LinkAddress(linkIndex: index, address: address)))
            try socket.setLink(index, LinkSettings(isUp: true))
            let added = try socket.addresses(linkIndex: index).first { $0.address == address }
            #expect(added?.isTentative == false)
            try socket.execute(.deleteAddress(LinkAddress(linkIndex: index, address: address)))
            #expect(try !socket.addresses(linkIndex: index).contains { $0.address == address })
        }
    }

    @Test("A deleted link is gone on both sides; deleting it again says so")
    func delete() async throws {
        try await NetNSFixture.run { fixture in
            let pod = try fixture.makeNetNS()
            var socket = try NetlinkSocket()
            try socket.createVeth(VethPair(hostName: "cali0", podName: "eth0", podNetNS: pod, mtuBytes: 1500))
            let index = try #require(try socket.link(named: "cali0")).index
            let (first, second) = (try socket.deleteLink(index), try socket.deleteLink(index))
            #expect(first)
            #expect(!second)
            #expect(try socket.link(named: "cali0") == nil)
            #expect(try fixture.ip(in: pod, "-br link").split(separator: "\n").count == 1)
        }
    }

    private static func code(_ body: () throws(NetlinkError) -> Void) -> SystemErrorCode? {
        do throws(NetlinkError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }
}
