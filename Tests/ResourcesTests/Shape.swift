import Resources

/// A document without its lines, written as a literal. `lines(from:)` puts every key and every element of a list on a
/// line of its own, as YAML's block style does.
indirect enum Shape: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    case plain(String)
    case quoted(String)
    case list([Shape])
    case map([(String, Shape)])

    init(stringLiteral value: String) { self = .plain(value) }
    init(integerLiteral value: Int) { self = .plain(String(value)) }
    init(booleanLiteral value: Bool) { self = .plain(value ? "true" : "false") }
    init(arrayLiteral elements: Shape...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, Shape)...) { self = .map(elements) }

    /// The node, the first of whose lines is `line`; `line` is the last of them afterwards.
    func node(line: inout Int) -> DocumentNode {
        switch self {
        case .plain(let text): return DocumentNode(.scalar(text, isPlain: true), line: line)
        case .quoted(let text): return DocumentNode(.scalar(text, isPlain: false), line: line)
        case .list(let elements):
            let start = line
            let nodes = elements.map { element in
                line += 1
                return element.node(line: &line)
            }
            return DocumentNode(.sequence(nodes), line: start)
        case .map(let members):
            let start = line
            var pairs: [DocumentNode.Pair] = []
            for (key, value) in members {
                line += 1
                let keyNode = DocumentNode(.scalar(key, isPlain: true), line: line)
                pairs.append(DocumentNode.Pair(keyNode, value.node(line: &line)))
            }
            return DocumentNode(.mapping(pairs), line: start)
        }
    }
}

/// A document of a file: the key that comes first is on line 1.
func document(_ shape: Shape, file: String = "a.yaml") -> Document {
    var line = 0
    return Document(file: file, root: shape.node(line: &line))
}

/// A resource of Calico's v3 form: kind on line 2, metadata 3, name 4, spec 5, its first field 6.
func resource(_ kind: String, _ name: String, _ spec: Shape, file: String = "a.yaml") -> Document {
    document(
        [
            "apiVersion": "projectcalico.org/v3", "kind": .plain(kind), "metadata": ["name": .plain(name)],
            "spec": spec,
        ], file: file)
}

/// What is found in documents, a line each.
func findings(_ documents: Document...) -> [String] {
    ResourceDecoder.decode(documents).diagnostics.map { "\($0.severity): \($0)" }
}
