/// Why a text is not a JSON document that Apus can hold.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The line of the fault, counted from 1; 0 when the fault has no place.
    package let line: Int
    /// The column of the fault in bytes, counted from 1; 0 when the fault has no place.
    package let column: Int
    /// The fault in the parser's words.
    package let message: String

    /// Makes an error.
    package init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    /// `line 1 column 5: unexpected token near 'x'`.
    package var description: String { "line \(line) column \(column): \(message)" }
}
