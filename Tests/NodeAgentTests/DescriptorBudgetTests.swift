import Testing

@testable import NodeAgent

@Suite("The descriptors that sessions take")
struct DescriptorBudgetTests {
    @Test("descriptors suffice for two connections of each peer and what else there is", arguments: [100, 480, 481])
    func descriptors(_ peers: Int) {
        #expect(DescriptorBudget(limit: 1024).suffices(forPeers: peers) == (peers <= 480))
    }
}
