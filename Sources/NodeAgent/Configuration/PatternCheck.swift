import Resources

/// Refuses a FelixConfiguration whose `mtuIfacePattern` is no regular expression: nobody else can tell who may not do
/// without the library of expressions, which the CNI executable does.
enum PatternCheck {
    /// Looks at the documents for the places of the settings that were read.
    static func complete(_ decoded: inout DecodedResources, _ documents: [Document]) {
        for configuration in decoded.configuration.felixConfigurations {
            guard let pattern = configuration.mtuIfacePattern, !NICPattern(pattern).isValid else { continue }
            let place = place(of: pattern, in: documents)
            decoded.diagnostics.append(
                Diagnostic(
                    .error, file: place?.file ?? "", line: place?.line,
                    resource: "FelixConfiguration/\(configuration.name)", field: "spec.mtuIfacePattern",
                    reason: "\"\(pattern)\" is no regular expression"))
            decoded.configuration.remove(configuration)
        }
    }

    /// Where the documents set the pattern, in a list too.
    private static func place(of pattern: String, in documents: [Document]) -> (file: String, line: Int)? {
        for document in documents {
            if let line = line(of: pattern, in: document.root) { return (document.file, line) }
        }
        return nil
    }

    private static func line(of pattern: String, in node: DocumentNode) -> Int? {
        switch node.content {
        case .scalar: break
        case .sequence(let elements):
            for element in elements {
                if let found = line(of: pattern, in: element) { return found }
            }
        case .mapping(let pairs):
            for pair in pairs {
                if pair.key.text == "mtuIfacePattern", pair.value.text == pattern { return pair.value.line }
                if let found = line(of: pattern, in: pair.value) { return found }
            }
        }
        return nil
    }
}
