import Testing

@testable import NodeAgent

@Suite("Deletions that their asker watches")
struct OwnRemovalTests {
    @Test("The asker takes its deletion once the kernel is at it alone, and nobody after it")
    func asker() {
        let own = OwnRemoval(index: 7)
        #expect(own.isOpen)
        #expect(!own.takeForAsker(), "the kernel has not begun")
        #expect(own.beginAlone())
        #expect(own.takeForAsker())
        #expect(!own.isOpen)
        #expect(!own.take(), "the asker sees to the rest")
        #expect(!own.takeForAsker())
    }

    @Test("A thread takes it when the asker has not, and answers")
    func thread() {
        let own = OwnRemoval(index: 7)
        #expect(own.beginAlone())
        #expect(own.take())
        #expect(!own.takeForAsker())
        #expect(!own.isOpen)
        #expect(own.take(), "whoever deletes still answers what another has taken from the asker meanwhile")
    }

    @Test("What is taken before its batch begins is not begun alone")
    func batch() {
        let own = OwnRemoval(index: 7)
        #expect(own.take())
        #expect(!own.beginAlone())
        #expect(!own.takeForAsker())
        #expect(!own.isOpen)
    }
}
