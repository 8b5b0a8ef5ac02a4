import Resources
import Yams

/// Reads YAML text into the documents that `ResourceDecoder` understands.
enum YAMLDocuments {
    /// A file larger than this is refused, in bytes.
    static let maximalFileBytes = 8 << 20
    /// The nodes that the documents of one file may expand to: aliases can make a small text a huge tree.
    static let maximalNodes = 500_000
    /// How deep the nodes may nest.
    static let maximalDepth = 64

    /// The documents of one file.
    /// - Throws: `Diagnostic` with the line, when the text is no YAML, repeats a key, or is too large. The file as a
    ///   whole is refused then.
    static func documents(in text: String, file: String) throws(Diagnostic) -> [Document] {
        guard text.utf8.count <= maximalFileBytes else {
            throw Diagnostic(.error, file: file, reason: "larger than \(maximalFileBytes) bytes; the file is refused")
        }
        var builder = DocumentBuilder(file: file)
        var documents: [Document] = []
        do {
            // Editors on Windows begin a file with a byte order mark, which the parser is not told to look for.
            let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                documents.append(Document(file: file, root: try builder.node(root, depth: 0)))
            }
        } catch let diagnostic as Diagnostic {
            throw diagnostic
        } catch let error as YamlError {
            throw Diagnostic(error, file: file)
        } catch {
            throw Diagnostic(.error, file: file, reason: "not read as YAML: \(error)")
        }
        return documents
    }
}

/// Copies the parser's nodes, within the limits.
private struct DocumentBuilder {
    let file: String
    var count = 0

    init(file: String) {
        self.file = file
    }

    mutating func node(_ node: Yams.Node, depth: Int) throws(Diagnostic) -> DocumentNode {
        count += 1
        let line = node.mark?.line ?? 1
        guard count <= YAMLDocuments.maximalNodes, depth < YAMLDocuments.maximalDepth else {
            throw Diagnostic(.error, file: file, line: line, reason: "too large or nested too deeply")
        }
        let content: DocumentNode.Content
        switch node {
        case .scalar(let scalar):
            content = .scalar(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any)
        case .sequence(let sequence):
            var elements: [DocumentNode] = []
            for element in sequence { elements.append(try self.node(element, depth: depth + 1)) }
            content = .sequence(elements)
        case .mapping(let mapping):
            var pairs: [DocumentNode.Pair] = []
            for (key, value) in mapping {
                let key = try self.node(key, depth: depth + 1)
                pairs.append(DocumentNode.Pair(key, try self.node(value, depth: depth + 1)))
            }
            content = .mapping(pairs)
        case .alias:
            throw Diagnostic(.error, file: file, line: line, reason: "an alias that names no anchor")
        }
        return DocumentNode(content, line: line, column: node.mark?.column ?? 1)
    }
}

extension Diagnostic {
    /// What the parser says, in the words and with the place of a diagnostic; the text itself is not repeated.
    fileprivate init(_ error: YamlError, file: String) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let words = [context?.text, problem].compactMap { $0 }.joined(separator: ", ")
            // The parser tells a programmer how to raise the limit.
            let told = words.split(separator: ", set with").first ?? ""
            self.init(.error, file: file, line: mark.line, reason: "no YAML at column \(mark.column): \(told)")
        case .duplicatedKeysInMapping(let keys, let context):
            self = .repeatedKey(keys.first ?? "", file: file, line: context.mark.line)
        case .reader(let problem, let offset, _, let text):
            let line = offset.map { offset in text.prefix(offset).count(where: \.isNewline) + 1 }
            self.init(.error, file: file, line: line, reason: "no YAML: \(problem)")
        case .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, .no:
            self.init(.error, file: file, reason: "not read as YAML: \(error)")
        }
    }
}
