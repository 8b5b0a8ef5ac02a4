package import NetTypes

/// A document with one list whose elements come one after the other: what `JSONText.serialize(_:pretty:)` writes of
/// `{"NAME":[…], …}`, without a value that has all of them, and without a text that is copied as it grows.
package struct JSONListText {
    private var writer = JSONWriter(isPretty: true)
    private var isEmpty = true
    private var parts: [String] = []

    /// How large a part is at least, in octets.
    private static let partLength = 65536

    /// A list of nothing yet, by its member's name.
    package init(named name: String) {
        writer.begin("{")
        writer.beginItem(named: name, isFirst: true)
        writer.begin("[")
    }

    /// Appends an element.
    package mutating func append(_ element: JSONValue) {
        writer.beginItem(isFirst: isEmpty)
        writer.write(element)
        isEmpty = false
        if writer.text.utf8.count >= Self.partLength { parts.append(writer.takeText()) }
    }

    /// The document in parts, with these members after the list.
    package consuming func parts(with members: JSONObject = [:]) -> [String] {
        writer.end("]", isEmpty: isEmpty)
        for (name, value) in members.members {
            writer.beginItem(named: name, isFirst: false)
            writer.write(value)
        }
        writer.end("}", isEmpty: false)
        return parts + [writer.text]
    }
}
