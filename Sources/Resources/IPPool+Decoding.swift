import NetTypes

extension IPPool {
    /// Reads an IPPool; nil when it is refused.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        let name = metadata.name
        guard let pool = reader.mapping("spec", { IPPool(spec: &$0, name: name ?? "") }) else {
            reader.requireSpec()
            return nil
        }
        guard let pool, name != nil else { return nil }
        self = pool
    }

    private init?(spec reader: inout FieldReader, name: String) {
        let cidr = reader.required("cidr", as: FieldValue.prefix)
        let blockSize = reader.optional("blockSize", as: FieldValue.integer(in: UInt8(0)...128))
        let ipip = reader.optional("ipipMode", as: FieldValue.tunnelUse) ?? .never
        let vxlan = reader.optional("vxlanMode", as: FieldValue.tunnelUse) ?? .never
        let natOutgoing = reader.optional("natOutgoing", as: FieldValue.bool) ?? false
        let isDisabled = reader.optional("disabled", as: FieldValue.bool) ?? false
        let nodeSelector = reader.optional("nodeSelector", as: FieldValue.selector) ?? .all
        let disableBGPExport = reader.optional("disableBGPExport", as: FieldValue.bool) ?? false
        let assignment = reader.optional("assignmentMode", as: FieldValue.word(AssignmentMode.self)) ?? .automatic
        let uses = reader.optional("allowedUses", as: FieldValue.words(AllowedUse.self)) ?? []
        let isForPods = uses.isEmpty || uses.contains(.workload)
        reader.ignore(["namespaceSelector"], severity: .ineffective)
        guard let cidr else { return nil }
        if ipip != .never && vxlan != .never {
            reader.refuse("vxlanMode", "ipipMode and vxlanMode are both set; write Never for one of them")
        }
        if ipip != .never && cidr.family == .ipv6 {
            reader.refuse("ipipMode", "IP in IP carries IPv4 only; write vxlanMode, or Never")
        }
        Self.check(cidr, blockSize: blockSize, in: &reader)
        self.init(
            name: name, cidr: cidr, blockSize: blockSize, ipipMode: ipip, vxlanMode: vxlan,
            natOutgoing: natOutgoing, isDisabled: isDisabled || !isForPods, nodeSelector: nodeSelector,
            disableBGPExport: disableBGPExport, isManual: assignment == .manual,
        )
        self.isForPods = isForPods
    }

    private static func check(_ cidr: IPPrefix, blockSize: UInt8?, in reader: inout FieldReader) {
        let sizes = blockSizes(of: cidr.family)
        let size = blockSize ?? defaultBlockSize(of: cidr.family)
        if !sizes.contains(size) {
            let bounds = "\(sizes.lowerBound) to \(sizes.upperBound)"
            reader.refuse("blockSize", "\(size) is no block size of \(cidr.family.title): expected \(bounds)")
        } else if size < cidr.length {
            reader.refuse("cidr", "\(cidr) is smaller than one block, a /\(size)")
        }
        for reserved in unusable where reserved.overlaps(cidr) {
            reader.refuse("cidr", "\(cidr) overlaps \(reserved), whose addresses name no pod")
        }
    }

    /// Link-local, loopback and multicast networks.
    private static let unusable = ["169.254.0.0/16", "127.0.0.0/8", "224.0.0.0/4", "fe80::/10", "ff00::/8"]
        .compactMap { IPPrefix($0) }

    /// Who takes addresses from a pool: every pod, or those alone that ask for the pool by name.
    private enum AssignmentMode: String, CaseIterable {
        case automatic = "Automatic"
        case manual = "Manual"
    }

    /// What a pool's addresses are for: here those of pods alone count.
    private enum AllowedUse: String, CaseIterable {
        case workload = "Workload"
        case tunnel = "Tunnel"
        case loadBalancer = "LoadBalancer"
        case hostSecondaryInterface = "HostSecondaryInterface"
    }
}

extension FieldValue {
    /// Never, Always or CrossSubnet; Off, which older files have, is Never.
    static func tunnelUse(_ node: DocumentNode) throws(FieldError) -> IPPool.TunnelUse {
        if node.text == "Off" { return .never }
        return try word(IPPool.TunnelUse.self)(node)
    }
}

extension FieldReader {
    /// The finding for a resource of which nothing but metadata is there.
    mutating func requireSpec() {
        guard !has("spec") else { return }
        refuse("spec", "required, but absent")
    }
}
