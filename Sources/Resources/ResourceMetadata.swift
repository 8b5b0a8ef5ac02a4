/// What `metadata` says of a resource.
struct ResourceMetadata: Sendable, Hashable {
    /// The name; nil when it is absent or wrong, which refuses the resource.
    var name: String?
    /// The labels.
    var labels: [String: String] = [:]
}

extension FieldReader {
    /// Reads `metadata`. What Kubernetes and calicoctl add to it on export is passed over.
    mutating func metadata() -> ResourceMetadata {
        guard has("metadata") else {
            refuse("metadata", "required, but absent")
            skip(["metadata"])
            return ResourceMetadata()
        }
        return mapping("metadata") { reader in
            reader.skip([
                "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers",
                "generateName", "generation", "managedFields", "namespace", "ownerReferences", "resourceVersion",
                "selfLink", "uid",
            ])
            return ResourceMetadata(
                name: reader.required("name", as: FieldValue.resourceName),
                labels: reader.optional("labels", as: FieldValue.labels) ?? [:],
            )
        } ?? ResourceMetadata()
    }
}

extension FieldValue {
    /// A name as Kubernetes and hosts write it: letters, digits, `.`, `_` and `-`, at most 253.
    static func resourceName(_ node: DocumentNode) throws(FieldError) -> String {
        let name = try text(node)
        let isGood = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isGood, (1...253).contains(name.utf8.count) else {
            throw FieldError(reason: "\(node.kind) is no name: 1 to 253 letters, digits, \".\", \"_\" and \"-\"")
        }
        return name
    }
}
