import LinuxOS
import Testing

@testable import NodeAgent

@Suite("The port that the monitor leaves out")
struct IgnoredPortTests {
    @Test("it is left out by the socket that listens, and by the one that takes its place")
    func replaced() throws {
        var filtered: [Int32: NetlinkPort] = [:]
        let filter = { (port: NetlinkPort, descriptor: Int32) throws(SystemError) in filtered[descriptor] = port }
        var ignored = IgnoredPort(descriptor: 5)
        try ignored.listen(on: 6, by: filter)
        #expect(filtered.isEmpty)
        try ignored.ignore(NetlinkPort(rawValue: 1), by: filter)
        #expect(filtered == [6: NetlinkPort(rawValue: 1)])
        try ignored.listen(on: 7, by: filter)
        try ignored.ignore(NetlinkPort(rawValue: 2), by: filter)
        #expect(filtered == [6: NetlinkPort(rawValue: 1), 7: NetlinkPort(rawValue: 2)])
    }
}
