package import NetTypes

/// A resource that is in force.
package struct ResourceRow: TableRow {
    package static var kind: ListKind { .resources }

    /// Its kind, such as `BGPPeer`.
    package var resourceKind: String
    /// Its name.
    package var name: String
    /// The file it was read from; nil for a default pool.
    package var file: String?
    /// The resource as it was read; nil for a default pool, and for what is too large to be sent.
    package var document: JSONValue?

    /// Makes a row.
    package init(kind: String, name: String, file: String?, document: JSONValue?) {
        resourceKind = kind
        self.name = name
        self.file = file
        self.document = document
    }

    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "resource")
        resourceKind = try reader.string("kind")
        name = try reader.string("name")
        file = try reader.optionalString("file")
        document = reader.has("document") ? reader.object["document"] : nil
    }

    package var json: JSONValue {
        [
            "kind": .string(resourceKind), "name": .string(name), "file": file.map { .string($0) } ?? .null,
            "document": document ?? .null,
        ]
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(resourceKind)
        hasher.combine(name)
    }
}
