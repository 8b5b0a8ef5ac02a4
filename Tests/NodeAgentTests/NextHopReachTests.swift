import LinuxOS
import NetTypes
import Testing

@testable import NodeAgent

@Suite("Which next hops are unreachable")
struct NextHopReachTests {
    private let near = address("192.168.1.11")
    private let far = address("172.31.9.9")

    @Test("one that nothing covers is unreachable after a while, and reached as soon as something does")
    func patience() {
        var reach = NextHopReach()
        #expect(reach.takeDue() == [])
        reach.watch([near, far])
        #expect(reach.unreachable(at: seconds(0)) == [])
        judge(&reach, covered: [near], at: 1)
        #expect(reach.unreachable(at: seconds(10)) == [])
        #expect(reach.unreachable(at: seconds(11)) == [far])
        judge(&reach, covered: [near, far], at: 12)
        #expect(reach.unreachable(at: seconds(30)) == [])
    }

    @Test("one that is uncovered for a moment is never unreachable")
    func moment() {
        var reach = NextHopReach()
        reach.watch([near])
        for second in stride(from: 0, to: 60, by: 6) {
            reach.doubtAll()
            judge(&reach, covered: second % 12 == 0 ? [near] : [], at: second)
            #expect(reach.unreachable(at: seconds(second)) == [])
        }
    }

    @Test("what is covered is looked up when it is in doubt alone, what is not every time")
    func due() {
        var reach = NextHopReach()
        reach.watch([near, far])
        judge(&reach, covered: [near], at: 0)
        #expect(reach.takeDue() == [far])
        reach.found(isCovered: false, far, at: seconds(1))
        reach.doubt(within: prefix("192.168.0.0/16"))
        reach.doubt(within: prefix("192.168.1.0/24"))
        reach.doubt(within: prefix("10.0.0.0/8"))
        #expect(Set(reach.takeDue()) == [near, far])
        #expect(reach.takeDue() == [])
    }

    @Test("what could not be found out changes nothing, and is asked again")
    func unknown() {
        var reach = NextHopReach()
        reach.watch([far])
        judge(&reach, covered: [], at: 0)
        #expect(reach.takeDue() == [far])
        reach.found(isCovered: nil, far, at: seconds(20))
        #expect(reach.unreachable(at: seconds(20)) == [far])
        #expect(reach.takeDue() == [far])
    }

    @Test("what no route names any more is forgotten; many are looked up in parts")
    func watched() {
        var reach = NextHopReach()
        reach.watch([near, far])
        judge(&reach, covered: [], at: 0)
        reach.watch([near])
        #expect(reach.unreachable(at: seconds(60)) == [near])
        #expect(reach.takeDue() == [near])
        let many = Set((0..<3000).compactMap { IPAddress("10.\($0 / 250).\($0 % 250).1") })
        reach.watch(many)
        var asked: Set<IPAddress> = []
        for _ in 0..<3 { asked.formUnion(reach.takeDue()) }
        #expect(asked == many)
    }

    @Test("routes cover that lead somewhere")
    func routes() {
        var routes = ForeignRoutes()
        let hop = Route.Hop(linkIndex: 2, gateway: near)
        _ = routes.observe(Route(to: prefix("172.31.0.0/16"), hops: [hop], protocolNumber: 3), deleted: false)
        #expect(routes.hasRoute(to: far))
        #expect(!routes.hasRoute(to: near))
        _ = routes.observe(Route(to: prefix("192.168.1.0/24"), kind: .blackhole, protocolNumber: 3), deleted: false)
        #expect(!routes.hasRoute(to: near))
    }

    private func judge(_ reach: inout NextHopReach, covered: Set<IPAddress>, at second: Int) {
        for nextHop in reach.takeDue() {
            reach.found(isCovered: covered.contains(nextHop), nextHop, at: seconds(second))
        }
    }

    private func seconds(_ number: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(number) * 1_000_000_000)
    }
}
