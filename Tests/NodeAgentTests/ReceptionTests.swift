import NetTypes
import Testing

@testable import NodeAgent

@Suite("What survived a restart")
struct ReceptionTests {
    private let block = prefix("10.244.1.0/26")

    @Test("a route through a peer waits for the End-of-RIB of that peer alone")
    func ownPeer() {
        let gateway = [address("192.168.1.2")]
        #expect(!reception(("192.168.1.2", []), ("192.168.1.3", [.ipv4])).isDisowned(block, gateways: gateway))
        #expect(reception(("192.168.1.2", [.ipv4]), ("192.168.1.3", [])).isDisowned(block, gateways: gateway))
    }

    @Test("a route through anything else waits for every peer")
    func anyPeer() {
        let gateway = [address("192.168.1.254")]
        #expect(!reception(("192.168.1.2", [.ipv4]), ("192.168.1.3", [])).isDisowned(block, gateways: gateway))
        #expect(reception(("192.168.1.2", [.ipv4]), ("192.168.1.3", [.ipv4])).isDisowned(block, gateways: gateway))
    }

    @Test("where there is no peer yet nobody has spoken")
    func noPeer() {
        #expect(!reception().isDisowned(block, gateways: [address("192.168.1.2")]))
        #expect(!reception().isDisowned(block, gateways: []))
    }

    @Test("the End-of-RIB of another family says nothing")
    func otherFamily() {
        #expect(!reception(("192.168.1.2", [.ipv6])).isDisowned(block, gateways: [address("192.168.1.2")]))
    }

    @Test("a restart is complete when sessions have settled and every established peer has spoken")
    func restart() {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var state = RestartState(isRestarting: true)
        state.configured(at: start)
        #expect(state.completed(awaiting: .init(), at: start) == nil)
        state.sessionCameUp(at: start)
        #expect(state.completed(awaiting: .init(), at: start) == nil)
        let later = start + RestartState.settlingTime
        #expect(state.completed(awaiting: .init(isAnybodySpeaking: true), at: later) == nil)
        #expect(state.completed(awaiting: .init(), at: later) != nil)
        var none = RestartState(isRestarting: false)
        none.configured(at: start)
        #expect(none.completed(awaiting: .init(), at: later) == nil)
    }

    @Test("a silent peer delays the end of a restart no longer than the limit, and so does the lack of any")
    func restartLimit() {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var state = RestartState(isRestarting: true)
        state.configured(at: start)
        let limit = start + RestartState.exportHoldLimit
        #expect(state.completed(awaiting: .init(isAnybodySpeaking: true), at: start + .seconds(4)) == nil)
        #expect(state.completed(awaiting: .init(isAnybodySpeaking: true), at: limit) != nil)
        #expect(state.completed(awaiting: .init(), at: limit) != nil)
    }

    @Test("the limit runs from the first configuration on, and what was preserved stays so")
    func lateConfiguration() {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var state = RestartState(isRestarting: true)
        #expect(state.completed(awaiting: .init(), at: start + .seconds(60)) == nil)
        state.configured(at: start + .seconds(60))
        state.configured(at: start + .seconds(70))
        let limit = start + .seconds(60) + RestartState.exportHoldLimit
        #expect(state.completed(awaiting: .init(), at: start + .seconds(61)) == nil)
        #expect(state.completed(awaiting: .init(), at: limit) != nil)
        state.end()
        #expect(state.hasPreservedRoutes && !state.isRestarting)
        #expect(!RestartState(isRestarting: false).hasPreservedRoutes)
    }

    @Test("routes of an earlier run are stale from the first configuration on, once, and never by half a one")
    func stale() {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var configuration = KernelConfiguration(nodeAddresses: [], ownBlocks: [], pools: [])
        let over = start + configuration.staleTime
        var timer = StaleTimer()
        #expect(timer.fires(at: over, with: nil) == false)
        #expect(timer.fires(at: over, with: configuration) == false)
        timer.configured(at: start)
        timer.configured(at: over)
        #expect(timer.fires(at: start, with: configuration) == false)
        configuration.isWhole = false
        #expect(timer.fires(at: over, with: configuration) == false)
        configuration.isWhole = true
        #expect(timer.fires(at: over, with: configuration) == true)
        #expect(timer.fires(at: over, with: configuration) == false)
    }

    private func reception(_ peers: (String, Set<AddressFamily>)...) -> Reception {
        Reception(peers: peers.map { Reception.Peer(address: address($0.0), complete: $0.1) })
    }
}
