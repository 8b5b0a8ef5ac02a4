import JSONKit
import NetTypes
import NodeLink

/// The table that one client reads in pages: all of one moment, the moment of the first.
struct ListPages: Sendable {
    /// How much of a message the rows of a page may take, in octets.
    static let pageBytes = FrameDecoder.maximumPayload / 2

    private var kind: ListKind?
    private var items: [JSONValue] = []

    /// One page.
    ///
    /// - Parameters:
    ///   - from: where it begins; 0 reads the table anew. After the last row the page is empty.
    ///   - read: answers `get`.
    mutating func page(
        _ kind: ListKind, from: Int, _ read: (Request.Operation) async -> Result<JSONObject, RemoteError>,
    ) async -> Result<JSONObject, RemoteError> {
        if from == 0 || kind != self.kind {
            switch await read(.get(kind)) {
            case .failure(let refusal): return .failure(refusal)
            case .success(let members):
                self.kind = kind
                items = members["items"]?.array ?? []
            }
        }
        guard items.indices.contains(from) else { return .success(PageAnswer(items: [], next: nil).members) }
        var (end, octets) = (from, 0)
        while end < items.count {
            octets += JSONText.serialize(items[end]).utf8.count + 1
            // A row is never larger than a message: one at least goes with each page.
            if octets > Self.pageBytes, end > from { break }
            end += 1
        }
        let page = PageAnswer(items: Array(items[from..<end]), next: end < items.count ? end : nil)
        if page.next == nil { items = [] }
        return .success(page.members)
    }
}
