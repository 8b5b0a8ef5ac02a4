import NetTypes
import Testing

@testable import NodeAgent

@Suite("What is remembered of nodes and peers")
struct TunnelRemarksTests {
    @Test("a remark is made once, and again when its node was gone meanwhile")
    func remarks() {
        var remarks = TunnelRemarks()
        let node = address("192.168.1.2")
        #expect(remarks.isNew("a", of: node) == true)
        #expect(remarks.isNew("a", of: node) == false)
        #expect(remarks.isNew("b", of: node) == true)
        #expect(remarks.isNew(nil, of: node) == false)
        #expect(remarks.isNew("b", of: node) == true)
        remarks.keep([node])
        #expect(remarks.isNew("b", of: node) == false)
        remarks.keep([])
        #expect(remarks.isNew("b", of: node) == true)
    }

    @Test("the convergence of a peer that is no longer configured is no longer told")
    func convergence() {
        var numbers = KernelNumbers()
        numbers.convergence = [address("192.168.1.2"): .seconds(1), address("192.168.1.3"): .seconds(2)]
        numbers.keep(peers: [address("192.168.1.3"), address("192.168.1.4")])
        #expect(numbers.convergence == [address("192.168.1.3"): .seconds(2)])
    }
}
