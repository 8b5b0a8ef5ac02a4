import NetTypes

/// A table of one moment. A row is made when it is asked for: a large table takes many times the memory as JSON.
struct TableRows: Sendable {
    /// How many rows there are.
    let count: Int
    private let row: @Sendable (Int) -> JSONValue

    /// Makes a table with a row for each element.
    init<Element: Sendable>(_ elements: [Element], _ row: @escaping @Sendable (Element) -> JSONValue) {
        count = elements.count
        self.row = { row(elements[$0]) }
    }

    /// Makes a table of rows that there are already.
    init(_ items: [JSONValue]) { self.init(items) { $0 } }

    /// A row; there is none at an index that is not below `count`.
    subscript(index: Int) -> JSONValue { row(index) }
}
