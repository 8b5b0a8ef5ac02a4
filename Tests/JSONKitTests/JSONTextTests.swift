import JSONKit
import NetTypes
import Testing

@Suite("JSON text")
struct JSONTextTests {
    @Test(
        "A document is read and written back unchanged",
        arguments: [
            "null", "true", "false", "0", "-9223372036854775808", "9223372036854775807", "1.5", "\"\"", "[]", "{}",
            "\"a\\u0000b\"", "\"\\\"\\\\\\n\\r\\t\\u0001\"", "\"žluťoučký 🐦\"", "[1,[2,[3]],{\"z\":1,\"a\":null}]",
        ])
    func roundTrip(text: String) throws {
        #expect(JSONText.serialize(try JSONText.parse(text)) == text)
    }

    @Test("Members keep the order of the text, and of two with one name the later wins")
    func memberOrder() throws {
        let value = try JSONText.parse(#"{"b":1,"a":2,"b":3}"#)
        #expect(value == ["b": 3, "a": 2])
        #expect(value.object?.members.map(\.name) == ["b", "a"])
    }

    @Test("An escaped solidus, a surrogate pair and blanks are read")
    func escapes() throws {
        #expect(try JSONText.parse(" [\"\\/\", \"\\ud83d\\udc26\"]\n") == ["/", "🐦"])
    }

    @Test(
        "What is not exactly one document is refused with its place",
        arguments: [
            ("", 1), ("{", 1), ("{\"a\":1}\n{\"b\":2}", 2), ("[1,]", 1), ("{\"a\"\n:\n}", 3), ("nul", 1),
            ("\"\u{1}\"", 1), ("{\"a\\u0000b\":1}", 1), ("01", 1),
            ("1e999", 1), ("\"\\ud800\"", 1),
        ])
    func refused(text: String, line: Int) {
        let error = #expect(throws: JSONError.self) { try JSONText.parse(text) }
        #expect(error?.line == line)
        #expect(error?.message.isEmpty == false)
    }

    @Test("An integer that is too large is a number all the same, and those beside it are integers")
    func largeIntegers() throws {
        let value = try JSONText.parse(#"{"x":18446744073709551615,"mtu":1500,"y":-9223372036854775809,"z":0.5}"#)
        #expect(value == ["x": .double(0x1p64), "mtu": 1500, "y": .double(-0x1p63), "z": .double(0.5)])
    }

    @Test("Bytes that are not UTF-8 are refused", arguments: [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0xfe]])
    func notUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONText.parse(bytes) }
    }

    @Test("Every truncation of a document is refused without a trap")
    func truncations() {
        let whole = Array(#"{"cniVersion":"1.0.0","list":[1,-2.5e3,true,null,"\u00e9"],"o":{"k":"v"}}"#.utf8)
        for count in 0..<whole.count {
            #expect(throws: JSONError.self) { try JSONText.parse(Array(whole[..<count])) }
        }
    }

    @Test("Nesting is bounded")
    func nesting() throws {
        let deep = String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)
        #expect(JSONText.serialize(try JSONText.parse(deep)) == deep)
        #expect(throws: JSONError.self) { try JSONText.parse(String(repeating: "[", count: 100_000)) }
    }

    @Test("The pretty form puts one member to a line")
    func pretty() {
        let text = JSONText.serialize(["a": [1, 2], "b": [:], "c": []], pretty: true)
        #expect(
            text == """
                {
                    "a": [
                        1,
                        2
                    ],
                    "b": {},
                    "c": []
                }
                """)
    }

    @Test("A number without a JSON text becomes null")
    func notANumber() {
        #expect(JSONText.serialize(.array([.double(.infinity), .double(.nan), .double(2)])) == "[null,null,2.0]")
    }

    @Test("A list that is written element by element is the document of the whole list", arguments: [0, 1, 3, 3000])
    func pieces(count: Int) {
        let elements = (0..<count).map { number in
            JSONValue.object(["name": .string("\(number)"), "rest": .array([.int(1), .null])])
        }
        var list = JSONListText(named: "items")
        for element in elements { list.append(element) }
        let parts = list.parts(with: ["more": .int(0)])
        #expect((parts.count > 1) == (count == 3000))
        #expect(
            parts.joined()
                == JSONText.serialize(.object(["items": .array(elements), "more": .int(0)]), pretty: true))
    }
}
