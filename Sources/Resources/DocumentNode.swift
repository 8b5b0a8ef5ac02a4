/// A node of a YAML document with its place in the text, made by the loader and read by `ResourceDecoder`.
///
/// It knows nothing of YAML but the shapes: anchors are already expanded, tags already applied.
package struct DocumentNode: Sendable, Hashable {
    /// What the node holds.
    package indirect enum Content: Sendable, Hashable {
        /// A word. `isPlain` is false for quoted and block text, which is never null, a truth value or a number.
        case scalar(String, isPlain: Bool)
        case sequence([DocumentNode])
        /// The pairs in the order of the text; a repeated key is still there twice.
        case mapping([Pair])
    }

    /// A key and its value.
    package struct Pair: Sendable, Hashable {
        /// The key.
        package var key: DocumentNode
        /// The value.
        package var value: DocumentNode

        /// Makes a pair.
        package init(_ key: DocumentNode, _ value: DocumentNode) {
            self.key = key
            self.value = value
        }
    }

    /// What the node holds.
    package var content: Content
    /// The line it begins on, counted from 1.
    package var line: Int
    /// The column it begins at, counted from 1.
    package var column: Int

    /// Makes a node.
    package init(_ content: Content, line: Int, column: Int = 1) {
        self.content = content
        self.line = line
        self.column = column
    }

    /// The text of a scalar; nil for the other shapes.
    package var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// Whether the node is YAML's null: `~`, `null`, or nothing after the colon (YAML 1.2 §10.3.2).
    package var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What the node is, in the words of a diagnostic: `a list`, `"abc"`.
    /// Text is escaped and cut to 80 characters, because it is printed as it stands in logs.
    package var kind: String {
        switch content {
        case .scalar where isNull: "null"
        case .scalar(let text, _): String(text.prefix(80)).debugDescription
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// One document of a file.
package struct Document: Sendable, Hashable {
    /// The name of the file, relative to the configuration directory.
    package var file: String
    /// The document's root.
    package var root: DocumentNode

    /// Joins a root and the file it came from.
    package init(file: String, root: DocumentNode) {
        self.file = file
        self.root = root
    }
}
