/// Reads resources in Calico's v3 form out of documents.
///
/// What is wrong with a resource refuses that resource and no other; a repeated key refuses its file, because the rest
/// of a file whose `---` is missing cannot be told apart; two resources of one kind and name are both refused, because
/// neither is known to be meant. Nothing here decides what to do then: see `ConfigurationInForce`.
package struct ResourceDecoder {
    private var resources: [LocatedResource] = []
    private var diagnostics: [Diagnostic] = []
    private var notedKinds: Set<ResourceKind> = []

    private init() {}

    /// Reads all documents of a configuration.
    /// - Parameters:
    ///   - documents: The documents, in the order of files and of places in them.
    ///   - refusals: What the loader says of the files that it could not read at all.
    package static func decode(_ documents: [Document], refusals: [Diagnostic] = []) -> DecodedResources {
        var decoder = ResourceDecoder()
        decoder.diagnostics = refusals
        let refused = decoder.refuseFilesWithRepeatedKeys(documents)
        for document in documents where !refused.contains(document.file) && !document.root.isNull {
            decoder.decode(document.root, in: document.file)
        }
        decoder.refuseDuplicates()
        return decoder.finish()
    }

    private mutating func refuseFilesWithRepeatedKeys(_ documents: [Document]) -> Set<String> {
        var refused: Set<String> = []
        for document in documents where !refused.contains(document.file) {
            guard let key = document.root.firstRepeatedKey else { continue }
            refused.insert(document.file)
            diagnostics.append(.repeatedKey(key.text ?? key.kind, file: document.file, line: key.line))
        }
        return refused
    }

    private mutating func decode(_ root: DocumentNode, in file: String) {
        var reader = FieldReader(root, path: "")
        let version = reader.required("apiVersion", as: FieldValue.text)
        let kindName = reader.required("kind", as: FieldValue.text)
        // What kubectl prints of several resources is a List of Kubernetes' own, whatever they are.
        let isPlainList = kindName == "List" && version == "v1"
        if let version, version != "projectcalico.org/v3", !isPlainList {
            reader.refuse("apiVersion", "\"\(version)\" is not known; write projectcalico.org/v3")
        }
        if let kindName, isPlainList || Self.isList(kindName) {
            reader.skip(["metadata"])
            let items = reader.required("items", as: FieldValue.list) ?? []
            conclude(&reader, file: file, identity: nil)
            for item in items { decode(item, in: file) }
            return
        }
        guard let kindName, let kind = ResourceKind(rawValue: kindName) else {
            if let kindName {
                let known = ResourceKind.allCases.filter(\.isUsed).map(\.rawValue).joined(separator: ", ")
                reader.refuse("kind", "\"\(kindName)\" is no kind of resource that Apus knows; it uses \(known)")
            }
            reader.abandon()
            conclude(&reader, file: file, identity: nil)
            return
        }
        let metadata = reader.metadata()
        let identity = metadata.name.map { "\(kind.rawValue)/\($0)" }
        guard kind.isUsed else {
            note(kind, identity: identity, at: root.line, in: file)
            return
        }
        let value = kind.read(&reader, metadata: metadata)
        let isGood = conclude(&reader, file: file, identity: identity)
        guard let identity else { return }
        resources.append(
            LocatedResource(
                identity: identity, file: file, line: root.line, value: isGood ? value : nil, document: root.json))
    }

    /// Whether the kind is that of a list of resources of one kind, as calicoctl prints them.
    private static func isList(_ kindName: String) -> Bool {
        kindName.hasSuffix("List") && ResourceKind(rawValue: String(kindName.dropLast(4))) != nil
    }

    private mutating func note(_ kind: ResourceKind, identity: String?, at line: Int, in file: String) {
        guard notedKinds.insert(kind).inserted else { return }
        diagnostics.append(
            Diagnostic(
                kind.severityOfIgnoring, file: file, line: line, resource: identity,
                reason: "\(kind.rawValue) resources have no effect in this version"))
    }

    /// Takes over what a reader has found; answers whether nothing of it refuses the resource.
    @discardableResult
    private mutating func conclude(_ reader: inout FieldReader, file: String, identity: String?) -> Bool {
        reader.close()
        diagnostics += reader.findings.map {
            Diagnostic($0.severity, file: file, line: $0.line, resource: identity, field: $0.field, reason: $0.reason)
        }
        return !reader.findings.contains { $0.severity == .error }
    }

    private mutating func refuseDuplicates() {
        for (identity, group) in Dictionary(grouping: resources, by: \.identity) where group.count > 1 {
            for (index, resource) in group.enumerated() {
                let other = group[index == 0 ? 1 : 0]
                diagnostics.append(
                    Diagnostic(
                        .error, file: resource.file, line: resource.line, resource: identity,
                        reason: "defined twice, here and at \(other.file):\(other.line); neither is used"))
            }
            resources.removeAll { $0.identity == identity }
        }
    }

    private consuming func finish() -> DecodedResources {
        var configuration = ClusterConfiguration(resources.compactMap(\.value))
        let places = Dictionary(resources.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
        for conflict in configuration.conflicts {
            guard let place = places[conflict.resource] else { continue }
            diagnostics.append(
                Diagnostic(
                    conflict.isRefused ? .error : .warning, file: place.file, line: place.line,
                    resource: conflict.resource, reason: conflict.reason))
        }
        let refused = Set(configuration.conflicts.filter(\.isRefused).map(\.resource))
        configuration.remove(refused)
        diagnostics.sort { ($0.file, $0.line ?? 0, $0.field ?? "") < ($1.file, $1.line ?? 0, $1.field ?? "") }
        let used = resources.lazy.filter { $0.value != nil && !refused.contains($0.identity) }
        return DecodedResources(
            configuration: configuration, diagnostics: diagnostics,
            files: Dictionary(used.map { ($0.identity, $0.file) }, uniquingKeysWith: { first, _ in first }),
            documents: Dictionary(used.map { ($0.identity, $0.document) }, uniquingKeysWith: { first, _ in first }))
    }
}

/// A resource and its place; the value is nil when the resource is refused.
private struct LocatedResource {
    let identity: String
    let file: String
    let line: Int
    let value: ResourceValue?
    let document: String
}

extension Diagnostic {
    /// The refusal of a file in which a mapping has the key twice, which is what two resources without `---` look like.
    package static func repeatedKey(_ key: String, file: String, line: Int) -> Diagnostic {
        Diagnostic(
            .error, file: file, line: line,
            reason: "the key \"\(key)\" is repeated; the file is refused: is the line --- missing between "
                + "two resources?")
    }
}

extension DocumentNode {
    /// The second occurrence of a key that one mapping has twice, anywhere in the tree.
    fileprivate var firstRepeatedKey: DocumentNode? {
        switch content {
        case .scalar:
            return nil
        case .sequence(let elements):
            return elements.lazy.compactMap(\.firstRepeatedKey).first
        case .mapping(let pairs):
            var seen: Set<String> = []
            for pair in pairs {
                if let text = pair.key.text, !seen.insert(text).inserted { return pair.key }
                if let inner = pair.value.firstRepeatedKey { return inner }
            }
            return nil
        }
    }
}
