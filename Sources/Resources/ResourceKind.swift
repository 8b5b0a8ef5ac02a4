/// The kinds of resource that a Calico user's files hold.
enum ResourceKind: String, Sendable, Hashable, CaseIterable {
    case ipPool = "IPPool"
    case bgpConfiguration = "BGPConfiguration"
    case bgpPeer = "BGPPeer"
    case node = "Node"
    case blockAffinity = "BlockAffinity"
    case bgpFilter = "BGPFilter"
    case felixConfiguration = "FelixConfiguration"
    case clusterInformation = "ClusterInformation"
    case kubeControllersConfiguration = "KubeControllersConfiguration"
    case calicoNodeStatus = "CalicoNodeStatus"
    case ipReservation = "IPReservation"
    case ipamConfiguration = "IPAMConfiguration"
    case hostEndpoint = "HostEndpoint"
    case workloadEndpoint = "WorkloadEndpoint"
    case networkPolicy = "NetworkPolicy"
    case stagedNetworkPolicy = "StagedNetworkPolicy"
    case stagedGlobalNetworkPolicy = "StagedGlobalNetworkPolicy"
    case stagedKubernetesNetworkPolicy = "StagedKubernetesNetworkPolicy"
    case networkSet = "NetworkSet"
    case globalNetworkPolicy = "GlobalNetworkPolicy"
    case globalNetworkSet = "GlobalNetworkSet"
    case profile = "Profile"
    case tier = "Tier"

    /// Whether Apus acts on resources of the kind. The others are noted once and ignored.
    var isUsed: Bool {
        switch self {
        case .ipPool, .bgpConfiguration, .bgpPeer, .bgpFilter, .node, .blockAffinity, .felixConfiguration,
            .ipReservation:
            true
        default: false
        }
    }

    /// How bad it is that nobody acts on resources of the kind, which is not used: what stops packets in Calico is missed
    /// by whoever relies on it.
    var severityOfIgnoring: Diagnostic.Severity {
        switch self {
        case .networkPolicy, .globalNetworkPolicy, .hostEndpoint, .profile, .tier: .ineffective
        default: .note
        }
    }
}

/// A resource of any kind that is used.
enum ResourceValue: Sendable, Hashable {
    case ipPool(IPPool)
    case bgpConfiguration(BGPConfiguration)
    case bgpPeer(BGPPeer)
    case bgpFilter(BGPFilter)
    case node(Node)
    case blockAffinity(BlockAffinity)
    case felixConfiguration(FelixConfiguration)
    case ipReservation(IPReservation)
}

extension ResourceKind {
    /// Reads the rest of a resource of this kind; nil when it is refused, with the finding in the reader.
    func read(_ reader: inout FieldReader, metadata: ResourceMetadata) -> ResourceValue? {
        switch self {
        case .ipPool: IPPool(&reader, metadata: metadata).map(ResourceValue.ipPool)
        case .bgpConfiguration: BGPConfiguration(&reader, metadata: metadata).map(ResourceValue.bgpConfiguration)
        case .bgpPeer: BGPPeer(&reader, metadata: metadata).map(ResourceValue.bgpPeer)
        case .bgpFilter: BGPFilter(&reader, metadata: metadata).map(ResourceValue.bgpFilter)
        case .node: Node(&reader, metadata: metadata).map(ResourceValue.node)
        case .blockAffinity: BlockAffinity(&reader, metadata: metadata).map(ResourceValue.blockAffinity)
        case .felixConfiguration:
            FelixConfiguration(&reader, metadata: metadata).map(ResourceValue.felixConfiguration)
        case .ipReservation: IPReservation(&reader, metadata: metadata).map(ResourceValue.ipReservation)
        default: nil
        }
    }
}

extension ClusterConfiguration {
    /// Sorts the resources by kind.
    init(_ values: [ResourceValue]) {
        self.init(
            pools: values.compactMap { if case .ipPool(let value) = $0 { value } else { nil } },
            nodes: values.compactMap { if case .node(let value) = $0 { value } else { nil } },
            peers: values.compactMap { if case .bgpPeer(let value) = $0 { value } else { nil } },
            affinities: values.compactMap { if case .blockAffinity(let value) = $0 { value } else { nil } },
            bgpConfigurations: values.compactMap { if case .bgpConfiguration(let value) = $0 { value } else { nil } },
            felixConfigurations: values.compactMap {
                if case .felixConfiguration(let value) = $0 { value } else { nil }
            },
        )
        filters = values.compactMap { if case .bgpFilter(let value) = $0 { value } else { nil } }
            .sorted { $0.name < $1.name }
        reservations = values.compactMap { if case .ipReservation(let value) = $0 { value } else { nil } }
            .sorted { $0.name < $1.name }
    }
}
