import NetTypes

extension BlockAffinity {
    /// Reads a BlockAffinity; nil when it is refused.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        let name = metadata.name
        guard let affinity = reader.mapping("spec", { BlockAffinity(spec: &$0, name: name ?? "") }) else {
            reader.requireSpec()
            return nil
        }
        guard let affinity, name != nil else { return nil }
        self = affinity
    }

    private init?(spec reader: inout FieldReader, name: String) {
        let cidr = reader.required("cidr", as: FieldValue.prefix)
        let node = reader.required("node", as: FieldValue.resourceName)
        let state = reader.optional("state", as: FieldValue.word(State.self)) ?? .confirmed
        // Calico marks an affinity that is about to go with the text "true".
        let isDeleted = reader.optional("deleted", as: FieldValue.text) == "true"
        reader.skip(["type"])
        guard let cidr, let node else { return nil }
        let sizes = IPPool.blockSizes(of: cidr.family)
        if !sizes.contains(cidr.length) {
            let bounds = "/\(sizes.lowerBound) to /\(sizes.upperBound)"
            reader.refuse("cidr", "\(cidr) is no block of \(cidr.family.title): expected \(bounds)")
        }
        self.init(name: name, cidr: cidr, node: node, state: isDeleted ? .pendingDeletion : state)
    }
}
