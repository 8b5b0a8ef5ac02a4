import Resources
import Testing

private let labels = ["rack": "a-1", "role": "edge", "empty": "", "projectcalico.org/name": "it's"]

@Suite("Selectors")
struct SelectorTests {
    @Test(
        "a selector holds, or does not, and its own text parses back to it",
        arguments: [
            ("", true), (" all() ", true), ("global()", true), ("!all()", false),
            ("rack == 'a-1'", true), ("rack==\"a-1\"", true), ("rack == 'b'", false), ("missing == 'a'", false),
            ("rack != 'b'", true), ("rack != 'a-1'", false), ("missing != 'a'", true),
            ("has(rack)", true), ("has(missing)", false), ("!has(rack)", false), ("! has( missing )", true),
            ("has(empty)", true), ("empty == ''", true),
            ("rack in {'b', 'a-1'}", true), ("rack in { 'b' }", false), ("missing in {'b'}", false),
            ("rack in {}", false), ("rack not in {}", true), ("rack not in {'b'}", true),
            ("rack not in {'a-1'}", false), ("missing not in {'b'}", true),
            ("rack contains '-'", true), ("rack contains 'x'", false), ("rack contains ''", true),
            ("missing contains ''", false), ("rack starts with 'a'", true), ("rack starts with '1'", false),
            ("rack ends with '-1'", true), ("rack ends with 'a'", false), ("rack ends with 'aa-1'", false),
            ("projectcalico.org/name == \"it's\"", true),
            // && binds more tightly than ||, ! more tightly than both.
            ("all() || all() && !all()", true), ("(all() || all()) && !all()", false),
            ("!all() || all()", true), ("!(all() || all())", false), ("!!all()", true),
            ("role == 'edge' && rack starts with 'a' && has(empty)", true),
            ("(role == 'core' || rack == 'a-1') && !(has(missing))", true),
            // Words of the grammar are labels where a label stands.
            ("has(in)", false), ("in != 'x'", true), ("not not in {'x'}", true), ("contains contains 'x'", false),
        ])
    func evaluation(text: String, expected: Bool) throws {
        let selector = try Selector(parsing: text)
        #expect(selector.matches(labels) == expected)
        #expect(try Selector(parsing: selector.description) == selector)
    }

    @Test(
        "text that is none is refused at its place",
        arguments: [
            ("rack", "expected ==, !=, in, not in, contains, starts with or ends with, found the end", 5),
            ("rack == a", "expected a value in quotes, found a", 9),
            ("rack == 'a", "a quote that is never closed", 9),
            ("rack == 'a' extra", "expected &&, || or the end, found extra", 13),
            ("rack == 'a' &&", "expected a label, a function or (, found the end", 15),
            ("rack = 'a'", "\"=\" means nothing in a selector", 6),
            ("rack & all()", "\"&\" means nothing in a selector", 6),
            ("any()", "any() is no function of selectors", 1),
            ("has(", "expected a label, found the end", 5),
            ("has('a')", "expected a label, found \"a\"", 5),
            ("all(", "expected ), found the end", 5),
            ("(all()", "expected ), found the end", 7),
            ("rack not 'a'", "expected in, found \"a\"", 10),
            ("rack not has", "\"not\" without \"in\"; before a condition write !", 6),
            ("rack starts 'a'", "expected with, found \"a\"", 13),
            ("rack in 'a'", "expected {, found \"a\"", 9),
            ("rack in {'a' 'b'}", "expected }, found \"b\"", 14),
            ("rack in {'a',}", "expected a value in quotes, found }", 14),
            ("rack matches 'a'", "\"matches\" is no operator of selectors", 6),
            ("räck == 'a'", "\"ä\" means nothing in a selector", 2),
        ])
    func refusal(text: String, reason: String, column: Int) {
        let error = #expect(throws: SelectorError.self) { try Selector(parsing: text) }
        #expect(error?.reason == reason)
        #expect(error?.column == column)
    }

    @Test("nesting has a bound, so that no text exhausts the stack")
    func depth() throws {
        for nested in [String(repeating: "(", count: 100_000), String(repeating: "!", count: 100_000)] {
            let error = #expect(throws: SelectorError.self) { try Selector(parsing: nested + "all()") }
            #expect(error?.reason == "nested too deeply")
        }
        #expect(try Selector(parsing: String(repeating: "!", count: 60) + "all()").matches([:]))
    }

    @Test("every beginning of a selector is refused or means something, and none traps")
    func truncations() {
        let text = "(a == 'x' || !has(b)) && c not in {'y', \"z\"} && d starts with '' || e contains 'f'"
        var accepted = 0
        for end in text.indices {
            do throws(SelectorError) {
                _ = try Selector(parsing: String(text[..<end]))
                accepted += 1
            } catch {
                #expect(error.column >= 1 && error.column <= text.count + 1)
            }
        }
        #expect(accepted > 0)
    }

    @Test("a condition inside a list of its own kind keeps its parentheses")
    func parentheses() throws {
        let inner = Selector.Expression.or([.has("a"), .has("b")])
        for expression: Selector.Expression in [
            .or([inner, .has("c")]), .and([inner, .has("c")]), .not(inner),
            .and([.and([.has("a"), .all]), .has("b")]),
        ] {
            #expect(try Selector(parsing: Selector(expression).description) == Selector(expression))
        }
    }
}
