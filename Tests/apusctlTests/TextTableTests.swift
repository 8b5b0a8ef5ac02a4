import Testing

@testable import apusctl

@Suite("Tables on the terminal")
struct TextTableTests {
    @Test("Columns are as wide as their widest cell, and no line ends in blanks")
    func plain() {
        let table = TextTable(
            header: ["CIDR", "NODE", "POOL"],
            rows: [["10.244.0.0/26", "n", "default"], ["fd00::/122", "node2", ""]])
        #expect(
            table.plain == """
                CIDR            NODE    POOL
                10.244.0.0/26   n       default
                fd00::/122      node2

                """)
    }

    @Test("A frame has its names in the middle and its cells on the left")
    func framed() {
        let table = TextTable(header: ["STATE", "INFO"], rows: [["up", "Established"]])
        #expect(
            table.framed == """
                +-------+-------------+
                | STATE |    INFO     |
                +-------+-------------+
                | up    | Established |
                +-------+-------------+

                """)
    }

    @Test("A long table comes in parts that are the whole; each cell of it is in its place")
    func parts() {
        var table = TextTable(header: ["A", "B", "C"])
        for number in 0..<10_000 { table.append(["\(number)", "", number == 9999 ? "wide enough, é 1" : "x"]) }
        var parts: [String] = []
        table.writePlain { parts.append($0) }
        #expect(parts.count > 1)
        #expect(parts.joined() == table.plain)
        let lines = table.plain.split(separator: "\n")
        #expect(lines.count == 10_001)
        #expect(lines[0] == "A      B   C")
        #expect(lines[1] == "0          x")
        #expect(lines[10_000] == "9999       wide enough, é 1")
    }

    @Test("A table without rows is its header")
    func empty() {
        #expect(TextTable(header: ["A", "B"], rows: []).plain == "A   B\n")
    }

    @Test(
        "What a peer has said cannot move the cursor or colour the terminal", arguments: ["\u{1b}[2J", "a\nb", "\u{7}"])
    func controlCharacters(cell: String) {
        let table = TextTable(header: ["INFO"], rows: [[cell]])
        for text in [table.plain, table.framed] {
            let lines = text.split(separator: "\n").count
            #expect(lines == (text == table.plain ? 2 : 5))
            #expect(!text.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
        }
    }
}

@Suite("The moment since when")
struct SinceTimeTests {
    private static let now: Int64 = 1_700_000_000

    @Test(
        "The time of day for the last twenty hours, the date before",
        arguments: [(0, true), (71_999, true), (72_000, false)])
    func forms(age: Int64, isTimeOfDay: Bool) {
        let text = SinceTime.text(Self.now - age, now: Self.now)
        #expect(text.contains(":") == isTimeOfDay)
        #expect(text.count == (isTimeOfDay ? 8 : 10))
    }

    @Test("Any number is a moment", arguments: [Int64.min, -1, .max])
    func extremes(moment: Int64) {
        #expect(!SinceTime.text(moment, now: Self.now).isEmpty)
        #expect(!SinceTime.text(Self.now, now: moment).isEmpty)
    }
}
