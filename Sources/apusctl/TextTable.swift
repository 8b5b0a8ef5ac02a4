/// Rows of text in columns, in the two forms that calicoctl's users know.
///
/// Control characters are written as escapes: a peer's shutdown message (RFC 9003) ends up in a cell.
struct TextTable {
    /// The names of the columns.
    let header: [String]
    /// The rows in one text, since there may be a million of them: after each cell and each row comes a control character,
    /// which no cell has.
    private var packed = ""
    private var widths: [Int]

    private static let cellEnd: Unicode.Scalar = "\u{1f}"
    private static let rowEnd: Unicode.Scalar = "\u{1e}"
    /// How much text is handed out together, in octets.
    private static let partLength = 65536

    /// A table of these rows; each has a cell for every column.
    init(header: [String], rows: [[String]] = []) {
        self.header = header
        widths = header.map(Self.width)
        for row in rows { append(row) }
    }

    /// Appends a row, which has a cell for every column.
    mutating func append(_ row: [String]) {
        for (column, cell) in row.enumerated() {
            let cell = Self.escaped(cell)
            packed += cell
            packed.unicodeScalars.append(Self.cellEnd)
            widths[column] = max(widths[column], Self.width(cell))
        }
        packed.unicodeScalars.append(Self.rowEnd)
    }

    /// Columns parted by three blanks, as `get` prints them.
    var plain: String {
        var text = ""
        writePlain { text += $0 }
        return text
    }

    /// The same text in parts of some size.
    func writePlain<Failure: Error>(_ write: (String) throws(Failure) -> Void) throws(Failure) {
        var part = plainLine(header.map { $0[...] })
        for row in packed.utf8.split(separator: UInt8(ascii: Self.rowEnd)) {
            part += plainLine(Self.cells(of: row))
            guard part.utf8.count >= Self.partLength else { continue }
            try write(part)
            part = ""
        }
        try write(part)
    }

    /// Columns in a frame, the names centred, as `node status` prints them.
    var framed: String {
        let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
        func line(_ cells: [String]) -> String { "|" + cells.map { " \($0) |" }.joined() + "\n" }
        let names = line(zip(header, widths).map(Self.centre))
        let body = packed.utf8.split(separator: UInt8(ascii: Self.rowEnd)).map { row in
            line(zip(Self.cells(of: row), widths).map { $0 + Self.blanks($1 - Self.width($0)) })
        }
        return rule + names + rule + body.joined() + rule
    }

    /// The text with its control characters as escapes.
    static func escaped(_ cell: String) -> String {
        // Nearly every text is plain ASCII.
        if cell.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return cell }
        let isClean = cell.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        return isClean ? cell : String(cell.debugDescription.dropFirst().dropLast())
    }

    /// Not ending in blanks.
    private func plainLine(_ cells: [Substring]) -> String {
        var line = ""
        for (cell, width) in zip(cells, widths) {
            if !line.isEmpty { line += "   " }
            line += cell + Self.blanks(width - Self.width(cell))
        }
        while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
        return line + "\n"
    }

    private static func cells(of row: Substring.UTF8View) -> [Substring] {
        row.split(separator: UInt8(ascii: cellEnd), omittingEmptySubsequences: false).dropLast().map(Substring.init)
    }

    /// How many places the text takes.
    private static func width(_ cell: some StringProtocol) -> Int {
        cell.utf8.allSatisfy { $0 < 0x80 } ? cell.utf8.count : cell.count
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(count, 0)) }

    private static func centre(_ cell: String, _ width: Int) -> String {
        let left = max(width - Self.width(cell), 0) / 2
        let text = blanks(left) + cell
        return text + blanks(width - Self.width(text))
    }
}
