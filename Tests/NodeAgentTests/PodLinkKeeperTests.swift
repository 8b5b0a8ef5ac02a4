import IPAMCore
import LinuxOS
import Logging
import NIOPosix
import NetTypes
import Netlink
import NodeStore
import TestKit
import Testing

@testable import NodeAgent

@Suite("The ways to pods that live are kept", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct PodLinkKeeperTests {
    private static let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")
    private static let name = "cali0123456789a"

    /// A pod's link in the thread's namespace, and a store that knows of it.
    private final class Lab {
        let directory: TemporaryDirectory
        let index: UInt32
        let sockets: KernelSockets
        var keeper: PodLinkKeeper

        init(state: IPAMCore.Attachment.State = .complete, requestedMAC: MACAddress? = nil) throws {
            let name = PodLinkKeeperTests.name
            try Self.ip("link add \(name) address ee:ee:ee:ee:ee:ee type veth peer name p0")
            try Self.ip("link set \(name) alias apus:net:c1:eth0 up")
            try Self.ip("link set p0 up")
            let sockets = try KernelSockets(
                protocolNumber: RouteProtocol.number, writerThread: NIOThreadPool.singleton, answered: Signal())
            let index = try sockets.links().first { $0.name == name }?.index ?? 0
            self.index = index
            self.sockets = sockets
            let directory = try TemporaryDirectory()
            let store = RunDirectory(path: directory.file("run"), bootID: try BootID.current())
            self.directory = directory
            keeper = PodLinkKeeper(
                runDirectory: store.path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try store.create()
            let lock = try store.lock(deadline: .seconds(5))
            guard case .fresh(var file) = try store.claim(key, now: BootClock.now(), under: lock) else { return }
            try file.update {
                $0.state = state
                $0.addresses = ["10.244.0.5/32", "fd00::5/128"].compactMap { IPPrefix($0) }
                $0.hostLink = name
                $0.hostLinkIndex = index
                $0.requestedMAC = requestedMAC
            }
        }

        @discardableResult
        static func ip(_ words: String) throws -> String {
            try Command.run(["ip"] + words.split(separator: " ").map(String.init))
        }

        /// What `ip route` shows on the link, without what each program adds.
        func routes() throws -> [String] {
            let text = try ["-4", "-6"].map { try Self.ip("\($0) route show dev \(PodLinkKeeperTests.name) proto 97") }
                .joined()
            return text.split(separator: "\n").map { $0.split(separator: " ").first.map(String.init) ?? "" }
        }

        func neighbours() throws -> String { try Self.ip("neigh show dev \(PodLinkKeeperTests.name) nud permanent") }

        /// The link goes down and comes up again, and the keeper hears of it.
        func bounce() throws {
            for state in ["down", "up"] {
                try Self.ip("link set \(PodLinkKeeperTests.name) \(state)")
                guard let link = try sockets.link(index: index) else { return }
                keeper.observe([.link(link, deleted: false)], NodePicture(), sockets)
            }
        }
    }

    @Test("A link that was down and is up again has its routes, neighbours and gateway back at once")
    func bounced() async throws {
        try await NetNSFixture.run { _ in
            let lab = try Lab()
            lab.keeper.keep([Self.name], lab.sockets)
            #expect(try lab.routes().sorted() == ["10.244.0.5", "fd00::5"])
            try Lab.ip("addr flush dev \(Self.name)")
            try lab.bounce()
            #expect(try lab.routes().sorted() == ["10.244.0.5", "fd00::5"])
            #expect(try lab.neighbours().split(separator: "\n").count == 2)
            #expect(try Lab.ip("-6 addr show dev \(Self.name)").contains("fe80::ecee:eeff:feee:eeee/64"))
        }
    }

    @Test("A route that somebody removes comes back, to the link-layer address that the runtime asked for")
    func removedRoute() async throws {
        try await NetNSFixture.run { _ in
            let mac = try #require(MACAddress("02:11:22:33:44:55"))
            let lab = try Lab(requestedMAC: mac)
            let route = Route(
                to: try #require(IPPrefix("10.244.0.5/32")), hops: [Route.Hop(linkIndex: lab.index)],
                protocolNumber: RouteProtocol.number)
            lab.keeper.observe([.route(route, deleted: true)], NodePicture(), lab.sockets)
            #expect(try lab.routes().contains("10.244.0.5"))
            #expect(try lab.neighbours().contains("10.244.0.5 lladdr 02:11:22:33:44:55"))
        }
    }

    @Test("Who keeps removing a pod's route is answered ever more rarely, and the route comes back in the end")
    func quarrel() async throws {
        try await NetNSFixture.run { _ in
            let lab = try Lab()
            let route = Route(
                to: try #require(IPPrefix("10.244.0.5/32")), hops: [Route.Hop(linkIndex: lab.index)],
                protocolNumber: RouteProtocol.number)
            lab.keeper.keep([Self.name], lab.sockets)
            var mended = 0
            for _ in 0..<20 {
                try Lab.ip("route del 10.244.0.5 dev \(Self.name)")
                lab.keeper.observe([.route(route, deleted: true)], NodePicture(), lab.sockets)
                guard try lab.routes().contains("10.244.0.5") else { break }
                mended += 1
            }
            // The look at the start was the first.
            #expect(mended == MendPace<UInt32>.patience - 1)
            let isBack = try eventually {
                lab.keeper.upkeep([Self.name], at: BootClock.now(), lab.sockets)
                return try lab.routes().contains("10.244.0.5")
            }
            #expect(isBack)
        }
    }

    @Test("What goes together with its link is not put back")
    func deletedLink() async throws {
        try await NetNSFixture.run { _ in
            let lab = try Lab()
            lab.keeper.keep([Self.name], lab.sockets)
            try Lab.ip("route del 10.244.0.5 dev \(Self.name)")
            let link = try #require(try lab.sockets.link(index: lab.index))
            let lost = KernelEvent.neighbourLost(linkIndex: lab.index, address: try #require(IPAddress("10.244.0.5")))
            lab.keeper.observe([lost, .link(link, deleted: true)], NodePicture(), lab.sockets)
            #expect(try !lab.routes().contains("10.244.0.5"))
            lab.keeper.observe(
                [.link(link, deleted: true), .link(link, deleted: false), lost], NodePicture(), lab.sockets)
            #expect(try lab.routes().contains("10.244.0.5"))
        }
    }

    @Test("Of several values of the reverse path filter the last one counts", arguments: [0, 1] as [UInt32])
    func lastFilter(last: UInt32) async throws {
        try await NetNSFixture.run { _ in
            let lab = try Lab()
            let path = ["net", "ipv4", "conf", Self.name, "rp_filter"]
            try Sysctl.write(path, "0")
            let events = [1 - last, last].map { KernelEvent.settings(linkIndex: lab.index, reversePathFilter: $0) }
            lab.keeper.observe(events, NodePicture(), lab.sockets)
            // It is looked at only where the last value speaks against it.
            #expect(try Sysctl.read(path) == (last == 0 ? "1" : "0"))
        }
    }

    @Test("A setting that somebody alters is as before within a second")
    func alteredSetting() async throws {
        try await NetNSFixture.run { _ in
            let lab = try Lab()
            lab.keeper.keep([Self.name], lab.sockets)
            try Sysctl.write(["net", "ipv4", "conf", Self.name, "proxy_arp"], "0")
            lab.keeper.observe(
                [.settings(linkIndex: lab.index, reversePathFilter: nil)], NodePicture(), lab.sockets)
            lab.keeper.upkeep([Self.name], at: BootClock.now(), lab.sockets)
            #expect(try Sysctl.read(["net", "ipv4", "conf", Self.name, "proxy_arp"]) == "1")
        }
    }

    @Test(
        "What an ADD or a DEL is at work on is left to it",
        arguments: [IPAMCore.Attachment.State.pending, .deleting])
    func atWork(_ state: IPAMCore.Attachment.State) async throws {
        try await NetNSFixture.run { _ in
            let lab = try Lab(state: state)
            lab.keeper.keep([Self.name], lab.sockets)
            try lab.bounce()
            #expect(try lab.routes().isEmpty && lab.neighbours().isEmpty)
        }
    }

    @Test("A link with another alias or another index is another's")
    func foreignLink() async throws {
        try await NetNSFixture.run { _ in
            let lab = try Lab()
            try Lab.ip("link set \(Self.name) alias apus:net:c2:eth0")
            try lab.bounce()
            #expect(try lab.routes().isEmpty)
        }
    }
}
