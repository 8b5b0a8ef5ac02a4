import NodeLink
import Testing

@testable import NodeAgent

@Suite("The room that the keys of BGP peers need")
struct KeyShortageTests {
    @Test(
        "whatever a key costs, what is asked for has room for all of them, and is not twice what they need",
        arguments: [96, 144, 152, 160, 512], [2048, 20480, 131_072])
    func needed(keyBytes: Int, limitBytes: Int) throws {
        // The kernel: a piece is given while what is in use and the piece stay below the limit.
        let fitting = (limitBytes - 1) / keyBytes
        for wanted in [fitting + 1, fitting * 3, 5000] where wanted > fitting {
            let needed = try #require(
                KeyShortage.neededBytes(limitBytes: limitBytes, fitting: fitting, wanted: wanted))
            #expect((needed - 1) / keyBytes >= wanted)
            #expect(needed < 2 * (wanted + 1) * keyBytes + 4096)
        }
    }

    @Test("where no key fits, nobody can tell", arguments: [(0, 5, 0), (100, 0, 5), (100, 1, .max)])
    func unknown(limitBytes: Int, fitting: Int, wanted: Int) {
        #expect(KeyShortage.neededBytes(limitBytes: limitBytes, fitting: fitting, wanted: wanted) == nil)
    }
}
