import JSONKit
import NetTypes
import Testing

@Suite("A member cut out of a JSON text")
struct PlainMemberTests {
    @Test(
        "What is left is JSON without the member",
        arguments: [
            (#"{"a":1,"p":{"x":[1,2]},"b":"y"}"#, #"{"a":1,"b":"y"}"#),
            (#"{"p":null}"#, "{}"),
            (#"{"p":"s","b":true}"#, #"{"b":true}"#),
            (#"{"a":false,"p":[]}"#, #"{"a":false}"#),
            (#" { "a" : -12 , "p" : [ { } , 0 ] } "#, #" { "a" : -12  } "#),
            (#"{"q":{"p":1},"p":2}"#, #"{"q":{"p":1}}"#),
            (#"{"P":1,"p":2,"a":3}"#, #"{"P":1,"a":3}"#),
        ])
    func cut(text: String, rest: String) throws {
        let left = try #require(PlainMember.cut("p", from: Array(text.utf8)))
        #expect(String(decoding: left, as: UTF8.self) == rest)
        var members = try #require(try JSONText.parse(text).object)
        members["p"] = nil
        #expect(try JSONText.parse(left).object == members)
    }

    @Test(
        "Of what is not plain, not JSON or without the member nothing is said",
        arguments: [
            "", "{}", "[]", #"{"a":1}"#, #"["p"]"#, #"{"p":1,"p":2}"#, #"{"p":1}x"#, #"{"p":1"#, #"{"p":}"#,
            #"{"p":01}"#, #"{"p":1.5}"#, #"{"p":1e3}"#, #"{"p":1234567890123456789}"#, #"{"p":-}"#,
            #"{"p":"\n"}"#, #"{"p":"ä"}"#, "{\"p\":\"\u{1}\"}", #"{"p":tru}"#, #"{"p":truex}"#, #"{"p":"x}"#,
            #"{"p":[1,]}"#, #"{"p":{"a"}}"#, #"{"p":1,}"#, #"{,"p":1}"#, #"{"p" 1}"#, #"{p:1}"#,
            #"{"a":1,"p":"# + String(repeating: "[", count: 40) + String(repeating: "]", count: 40) + "}",
        ])
    func refused(text: String) {
        #expect(PlainMember.cut("p", from: Array(text.utf8)) == nil)
    }

    @Test("Whatever is cut off the end of a text, there is no member to find")
    func truncated() {
        let text = Array(#"{"a":"b","p":{"x":[-1,true,null,"y"]},"c":{"d":[]}}"#.utf8)
        for length in 0..<text.count { #expect(PlainMember.cut("p", from: Array(text.prefix(length))) == nil) }
    }
}
