import JSONKit
import NetTypes
import NodeLink

/// The table that one client reads in pages: all of one moment, the moment of the first.
struct ListPages: Sendable {
    /// How much of a message the rows of a page may take, in octets.
    static let pageBytes = FrameDecoder.maximumPayload / 2

    private var table: PagedTable?
    private var rows = TableRows([])

    /// One page.
    ///
    /// - Parameters:
    ///   - from: where it begins; 0 reads the table anew. After the last row the page is empty.
    ///   - read: has the table.
    mutating func page(
        _ table: PagedTable, from: Int, _ read: (PagedTable) async -> Result<TableRows, RemoteError>,
    ) async -> Result<JSONObject, RemoteError> {
        if from == 0 || table != self.table {
            switch await read(table) {
            case .failure(let refusal): return .failure(refusal)
            case .success(let rows): (self.table, self.rows) = (table, rows)
            }
        }
        guard (0..<rows.count).contains(from) else {
            return .success(PageAnswer(items: [], next: nil).members)
        }
        var (items, octets) = ([JSONValue](), 0)
        while from + items.count < rows.count {
            let row = rows[from + items.count]
            octets += JSONText.serialize(row).utf8.count + 1
            // A row is never larger than a message: one at least goes with each page.
            if octets > Self.pageBytes, !items.isEmpty { break }
            items.append(row)
        }
        let next = from + items.count
        if next == rows.count { rows = TableRows([]) }
        return .success(PageAnswer(items: items, next: rows.count == 0 ? nil : next).members)
    }
}
