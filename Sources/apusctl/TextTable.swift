/// Rows of text in columns, in the two forms that calicoctl's users know.
///
/// Control characters are written as escapes: a peer's shutdown message (RFC 9003) ends up in a cell.
struct TextTable {
    /// The names of the columns.
    let header: [String]
    /// The rows; each has a cell for every column.
    let rows: [[String]]

    init(header: [String], rows: [[String]]) {
        self.header = header
        self.rows = rows.map { $0.map(Self.escaped) }
    }

    /// Columns parted by three blanks, as `get` prints them.
    var plain: String {
        let widths = self.widths
        return ([header] + rows).map { row in
            let cells = zip(row, widths).map { cell, width in Self.fill(cell, width) }
            return Self.trimmed(cells.joined(separator: "   ")) + "\n"
        }.joined()
    }

    /// Columns in a frame, the names centred, as `node status` prints them.
    var framed: String {
        let widths = self.widths
        let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
        func line(_ cells: [String]) -> String { "|" + cells.map { " \($0) |" }.joined() + "\n" }
        let names = line(zip(header, widths).map(Self.centre))
        let body = rows.map { line(zip($0, widths).map(Self.fill)) }.joined()
        return rule + names + rule + body + rule
    }

    private var widths: [Int] {
        header.indices.map { column in
            ([header] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
    }

    /// The text with its control characters as escapes.
    static func escaped(_ cell: String) -> String {
        let isClean = cell.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        return isClean ? cell : String(cell.debugDescription.dropFirst().dropLast())
    }

    private static func fill(_ cell: String, _ width: Int) -> String {
        cell + String(repeating: " ", count: max(width - cell.count, 0))
    }

    private static func centre(_ cell: String, _ width: Int) -> String {
        let left = max(width - cell.count, 0) / 2
        return fill(String(repeating: " ", count: left) + cell, width)
    }

    private static func trimmed(_ line: String) -> Substring {
        var rest = line[...]
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
