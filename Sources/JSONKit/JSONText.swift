package import NetTypes

/// JSON documents as text (RFC 8259). jansson reads them; they are written here.
package enum JSONText {
    /// Reads one JSON document, which may be a scalar.
    ///
    /// Of two members with one name the later wins. A string may hold NUL, a member's name may not. The nesting is
    /// bounded by jansson (2048 levels).
    /// An integer beyond `Int64` is read as the `Double` next to it.
    /// - Throws: `JSONError` for anything that is not exactly one document in UTF-8, and for a number beyond `Double`.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        try JanssonDocument(parsing: bytes).value
    }

    /// Reads one JSON document, as `parse(_:)` of the text's UTF-8.
    /// - Throws: as `parse(_:)`.
    package static func parse(_ text: String) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8))
    }

    /// Writes one JSON document: in one line without blanks, or `pretty`, one member to a line and indented by four
    /// blanks. Members keep their order. No newline follows the document.
    ///
    /// A number that JSON has no text for (infinite, not a number) is written as `null`.
    package static func serialize(_ value: JSONValue, pretty: Bool = false) -> String {
        var writer = JSONWriter(isPretty: pretty)
        writer.write(value)
        return writer.text
    }
}
