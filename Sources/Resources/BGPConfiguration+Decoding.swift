import NetTypes

extension BGPConfiguration {
    /// Reads a BGPConfiguration; nil when it is refused.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        guard let name = metadata.name else {
            reader.skip(["spec"])
            return nil
        }
        let isGlobal = name == "default"
        if !isGlobal && !(name.hasPrefix("node.") && name.count > 5) {
            reader.refuse("metadata", "the name \"\(name)\" has no meaning here; write default or node.NAME")
        }
        self =
            reader.mapping("spec") { BGPConfiguration(spec: &$0, name: name, isGlobal: isGlobal) }
            ?? BGPConfiguration(name: name)
    }

    private static let globalFields = [
        "asNumber", "nodeToNodeMeshEnabled", "nodeMeshMaxRestartTime", "nodeMeshPassword", "nodeMeshBFD",
    ]

    /// What changes the way of packets in Calico, and nothing here.
    private static let missing = [
        "serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs", "ignoredInterfaces",
        "localWorkloadPeeringIPV4", "localWorkloadPeeringIPV6", "ipv4NormalRoutePriority", "ipv6NormalRoutePriority",
    ]

    private init(spec reader: inout FieldReader, name: String, isGlobal: Bool) {
        self.init(
            name: name,
            asNumber: reader.optional("asNumber", as: FieldValue.asNumber),
            nodeToNodeMeshEnabled: reader.optional("nodeToNodeMeshEnabled", as: FieldValue.bool),
            listenPort: reader.optional("listenPort", as: FieldValue.integer(in: UInt16(1)...65535)),
            nodeMeshMaxRestartTime: reader.optional("nodeMeshMaxRestartTime", as: FieldValue.restartTime),
            programClusterRoutes: reader.optional(
                "programClusterRoutes", as: FieldValue.word(RouteProgramming.self)),
        )
        bindMode = reader.optional("bindMode", as: FieldValue.word(BindMode.self))
        nodeMeshPassword = SecretReference.read("nodeMeshPassword", &reader)
        let advertisements = PrefixAdvertisement.read(&reader)
        if reader.has("prefixAdvertisements") { prefixAdvertisements = advertisements }
        nodeMeshBFD = BFDOptions.read("nodeMeshBFD", &reader)
        if !isGlobal {
            for key in Self.globalFields where reader.has(key) {
                reader.refuse(key, "a setting of the whole cluster; write it in BGPConfiguration/default")
            }
        }
        reader.ignore(["logSeverityScreen", "serviceLoadBalancerAggregation"])
        reader.ignore(Self.missing, severity: .ineffective)
    }
}
