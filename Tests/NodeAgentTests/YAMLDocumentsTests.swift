import Resources
import Testing

@testable import NodeAgent

@Suite("Reading YAML")
struct YAMLDocumentsTests {
    @Test("every document of a file, with the lines of the file, and whether a word is quoted")
    func documents() throws {
        let text = """
            # a comment
            apiVersion: projectcalico.org/v3
            kind: Node
            metadata: {name: "a"}
            ---
            - x
            - 'y'
            ---
            """
        let documents = try YAMLDocuments.documents(in: text, file: "a.yaml")
        #expect(documents.count == 3)
        #expect(documents.allSatisfy { $0.file == "a.yaml" })
        guard case .mapping(let pairs) = documents[0].root.content,
            case .mapping(let metadata) = pairs[2].value.content
        else {
            Issue.record("no mapping")
            return
        }
        #expect(pairs.map { "\($0.key.line) \($0.key.text ?? "")" } == ["2 apiVersion", "3 kind", "4 metadata"])
        #expect(metadata[0].value.content == .scalar("a", isPlain: false))
        #expect(metadata[0].value.column == 18)
        let words = [
            DocumentNode(.scalar("x", isPlain: true), line: 6, column: 3),
            DocumentNode(.scalar("y", isPlain: false), line: 7, column: 3),
        ]
        #expect(documents[1].root == DocumentNode(.sequence(words), line: 6))
        #expect(documents[2].root.isNull)
    }

    @Test("anchors are expanded, and an expansion without end is refused")
    func aliases() throws {
        let documents = try YAMLDocuments.documents(in: "a: &x [1]\nb: *x\n", file: "a.yaml")
        guard case .mapping(let pairs) = documents.first?.root.content else {
            Issue.record("no mapping")
            return
        }
        #expect(pairs.map(\.value.kind) == ["a list", "a list"])
        let levels = (1...9).map { level in
            let elements = Array(repeating: "*l\(level - 1)", count: 9).joined(separator: ",")
            return "l\(level): &l\(level) [\(elements)]"
        }
        let bomb = "l0: &l0 x\n" + levels.joined(separator: "\n")
        let error = #expect(throws: Diagnostic.self) { try YAMLDocuments.documents(in: bomb, file: "a.yaml") }
        #expect(error?.reason == "too large or nested too deeply")
    }

    @Test(
        "what is no YAML is refused with its line",
        arguments: [
            ("a: 1\nb: [1,\n", 3, "no YAML at column 1: while parsing a flow node, did not find expected node content"),
            ("a: 1\n\tb: 2\n", 2, "no YAML at column"),
            ("a: *x\n", 1, "found undefined alias"),
            ("a: 1\nb: \u{1}\n", 2, "no YAML: control characters are not allowed"),
            (
                "x: 1\nkind: a\nmetadata: b\nkind: c\n", 2,
                "the key \"kind\" is repeated; the file is refused: is the line --- missing between two resources?"
            ),
            (String(repeating: "[", count: 100_000), 1, "Maximum nesting level"),
            (String(repeating: "[", count: 70) + String(repeating: "]", count: 70), 1, "nested too deeply"),
        ])
    func refused(text: String, line: Int, reason: String) {
        let error = #expect(throws: Diagnostic.self) { try YAMLDocuments.documents(in: text, file: "a.yaml") }
        #expect(error?.severity == .error && error?.file == "a.yaml")
        #expect(error?.line == line)
        #expect(error?.reason.contains(reason) == true)
    }

    @Test("a file that is too large is refused before it is read")
    func tooLarge() {
        let text = "#" + String(repeating: "x", count: YAMLDocuments.maximalFileBytes)
        let error = #expect(throws: Diagnostic.self) { try YAMLDocuments.documents(in: text, file: "a.yaml") }
        #expect(error?.description == "a.yaml: larger than 8388608 bytes; the file is refused")
    }

    @Test("every beginning of a file is read or refused, and none traps")
    func truncations() {
        let text = "a: &x {b: [1, 'two', \"thr\\u0065e\"], c: *x}\n---\n- |\n  text\n- >-\n  more\n? k\n: v\n"
        var refused = 0
        for end in text.indices {
            do throws(Diagnostic) {
                _ = try YAMLDocuments.documents(in: String(text[..<end]), file: "a.yaml")
            } catch {
                refused += 1
            }
        }
        #expect(refused > 0 && refused < text.count)
    }
}
