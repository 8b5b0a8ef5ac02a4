import BGPTable
import BGPWire
import Glibc
import LinuxOS
import NetTypes
import Testing

@testable import NodeAgent

@Suite("A node that is about to go (RFC 8326)")
struct DrainTests {
    @Test("the mark outlives the process, and is gone when it is taken back")
    func mark() throws {
        let directory = "/tmp/apus-drain-\(getpid())-\(UInt64.random(in: .min ... .max))"
        try Files.createDirectory(directory)
        defer { _ = try? Files.removeDirectory(directory) }
        var mark = DrainMark(stateDirectory: directory, node: "node1")
        #expect(!mark.isSet)
        try mark.set(true)
        try mark.set(true)
        #expect(mark.isSet && DrainMark(stateDirectory: directory, node: "node1").isSet)
        #expect(!DrainMark(stateDirectory: directory, node: "node2").isSet)
        try mark.set(false)
        try mark.set(false)
        #expect(!mark.isSet && !DrainMark(stateDirectory: directory, node: "node1").isSet)
    }

    @Test("what it announces bears the community once and LOCAL_PREF 0, and keeps the rest", arguments: [false, true])
    func announcement(isDrained: Bool) throws {
        let routerID = try #require(RouterID("192.168.1.1"))
        let block = try #require(IPPrefix("10.244.1.0/26"))
        let address = try #require(IPAddress("192.168.1.1"))
        let announcement = BlockAnnouncement(block: block, nextHop: address, tunnel: nil)
        var configuration = SpeakerConfiguration(
            localAS: ASNumber(64512), routerID: routerID, localAddresses: [], listenPort: 179, peers: [], pools: [],
            nodeAddresses: [], announcements: [announcement])
        configuration.isDrained = isDrained
        let route = LocalRoute(announcement, in: configuration)
        #expect(route.attributes.communities == (isDrained ? [.gracefulShutdown] : []))
        #expect(route.attributes.localPref == (isDrained ? 0 : nil))
        #expect(route.nextHop == NextHop(address))
    }
}
