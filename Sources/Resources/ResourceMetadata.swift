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

/// The names of resources, as Kubernetes and hosts write them.
package enum ResourceName {
    /// Whether the text is one: letters, digits, `.`, `_` and `-`, 1 to 253 of them.
    package static func isValid(_ text: String) -> Bool {
        let isGood = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isGood && (1...253).contains(text.utf8.count)
    }
}

extension FieldValue {
    /// A name of a resource.
    static func resourceName(_ node: DocumentNode) throws(FieldError) -> String {
        let name = try text(node)
        guard ResourceName.isValid(name) else {
            throw FieldError(reason: "\(node.kind) is no name: 1 to 253 letters, digits, \".\", \"_\" and \"-\"")
        }
        return name
    }
}
