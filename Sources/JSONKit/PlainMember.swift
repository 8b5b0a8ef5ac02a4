/// The place of a member in the text of a JSON object, found without reading the text into values.
///
/// Only plain texts are walked through, which is what programs write: ASCII without escapes, whole numbers of at most 18
/// digits, no deep nesting. Of any other, and of what is no JSON, nothing is said: it is to be read.
package struct PlainMember {
    /// The deepest nesting that counts as plain.
    private static let maximumDepth = 32
    /// The most digits that surely fit into `Int64`.
    private static let maximumDigits = 18

    private let text: [UInt8]
    private var place = 0

    private init(_ text: [UInt8]) { self.text = text }

    /// The text without the member of that name of the outermost object: JSON as before.
    ///
    /// - Returns: nil when there is no such member, or more than one, or the text is not plain.
    package static func cut(_ name: StaticString, from text: [UInt8]) -> [UInt8]? {
        var walk = PlainMember(text)
        guard let range = walk.range(of: name) else { return nil }
        return Array(text[..<range.lowerBound] + text[range.upperBound...])
    }

    /// The octets of the member and of the one comma that goes with it.
    private mutating func range(of name: StaticString) -> Range<Int>? {
        var found: Range<Int>?
        guard skipOne("{") else { return nil }
        var lastComma: Int?
        repeat {
            skipBlanks()
            let start = place
            guard let isIt = skipName(name), skipOne(":"), skipValue(depth: 1) else { return nil }
            let end = place
            let comma = skipOne(",") ? place : nil
            if isIt {
                guard found == nil else { return nil }
                // The comma after it, or, of the last one, the comma before it.
                found = comma.map { start..<$0 } ?? (lastComma ?? start)..<end
            }
            lastComma = comma.map { $0 - 1 }
        } while lastComma != nil
        guard skipOne("}") else { return nil }
        skipBlanks()
        return place == text.count ? found : nil
    }

    private var octet: UInt8? { place < text.count ? text[place] : nil }

    private mutating func skipBlanks() {
        while let octet, octet == 0x20 || octet == 0x0a || octet == 0x0d || octet == 0x09 { place += 1 }
    }

    /// Blanks and this octet.
    private mutating func skipOne(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard octet == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    /// A string; whether it is the name, or nil where there is no plain one.
    private mutating func skipName(_ name: StaticString) -> Bool? {
        let start = place + 1
        guard skipString() else { return nil }
        let length = place - 1 - start
        guard length == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { buffer in unsafe buffer.elementsEqual(text[start..<start + length]) }
    }

    private mutating func skipString() -> Bool {
        guard octet == UInt8(ascii: "\"") else { return false }
        place += 1
        while let octet, octet >= 0x20, octet < 0x7f, octet != UInt8(ascii: "\\") {
            place += 1
            if octet == UInt8(ascii: "\"") { return true }
        }
        return false
    }

    private mutating func skipValue(depth: Int) -> Bool {
        skipBlanks()
        switch octet {
        case UInt8(ascii: "\""): return skipString()
        case UInt8(ascii: "{"): return skipAll(until: "}", depth: depth, areNamed: true)
        case UInt8(ascii: "["): return skipAll(until: "]", depth: depth, areNamed: false)
        case UInt8(ascii: "t"): return skipWord("true")
        case UInt8(ascii: "f"): return skipWord("false")
        case UInt8(ascii: "n"): return skipWord("null")
        default: return skipNumber()
        }
    }

    /// The members of an object or the elements of an array, with both brackets.
    private mutating func skipAll(until end: Unicode.Scalar, depth: Int, areNamed: Bool) -> Bool {
        guard depth < Self.maximumDepth else { return false }
        place += 1
        if skipOne(end) { return true }
        repeat {
            skipBlanks()
            if areNamed { guard skipString(), skipOne(":") else { return false } }
            guard skipValue(depth: depth + 1) else { return false }
        } while skipOne(",")
        return skipOne(end)
    }

    private mutating func skipWord(_ word: StaticString) -> Bool {
        let end = place + word.utf8CodeUnitCount
        guard end <= text.count else { return false }
        guard word.withUTF8Buffer({ unsafe $0.elementsEqual(text[place..<end]) }) else { return false }
        place = end
        return true
    }

    private mutating func skipNumber() -> Bool {
        if octet == UInt8(ascii: "-") { place += 1 }
        let start = place
        while let octet, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) { place += 1 }
        let count = place - start
        guard (1...Self.maximumDigits).contains(count) else { return false }
        // What follows is seen to be a comma, a bracket or a blank by whoever has asked for the number.
        return count == 1 || text[start] != UInt8(ascii: "0")
    }
}
