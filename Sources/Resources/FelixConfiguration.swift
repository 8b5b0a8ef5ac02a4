package import NetTypes

/// The settings of the tunnels (`kind: FelixConfiguration`), the cluster's (`default`) or one node's (`node.NAME`).
///
/// A field that the resource does not set is nil.
package struct FelixConfiguration: Sendable, Hashable {
    /// Calico's own identifier of the network.
    package static let defaultVNI: UInt32 = 4096
    /// The port that IANA gives to VXLAN.
    package static let defaultVXLANPort: UInt16 = 4789
    /// The names of links that count as NICs where the resource does not say.
    package static let defaultMTUIfacePattern = "^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)"

    /// metadata.name: `default` or `node.NAME`.
    package var name: String
    /// The VXLAN network identifier.
    package var vxlanVNI: UInt32?
    /// The UDP port of VXLAN.
    package var vxlanPort: UInt16?
    /// The MTU of `tunl0` and of pods behind it; 0 or nil: the host's less 20.
    package var ipipMTU: UInt32?
    /// The MTU of `vxlan.calico` and of pods behind it; 0 or nil: the host's less 50.
    package var vxlanMTU: UInt32?
    /// The MTU of `vxlan-v6.calico` and of pods behind it; 0 or nil: the host's less 70.
    package var vxlanMTUV6: UInt32?
    /// A regular expression of the names of links that count as NICs when the host's MTU is sought.
    package var mtuIfacePattern: String?
    /// Whether pods may send VXLAN packets to nodes; nil is no.
    package var allowVXLANPacketsFromWorkloads: Bool?
    /// Whether pods may send IP in IP packets to nodes; nil is no.
    package var allowIPIPPacketsFromWorkloads: Bool?
    /// What the operator says of the node's network cards in place of a trial: `ChecksumOffloadBroken` of
    /// `featureDetectOverride`. True keeps the checksum offload of the tunnel devices off, false keeps it on.
    package var isChecksumOffloadBroken: Bool?

    /// Makes settings that say nothing.
    package init(name: String = "default") {
        self.name = name
    }

    /// These settings, and those of `other` where these say nothing.
    func completed(by other: FelixConfiguration) -> FelixConfiguration {
        var result = self
        result.vxlanVNI = vxlanVNI ?? other.vxlanVNI
        result.vxlanPort = vxlanPort ?? other.vxlanPort
        result.ipipMTU = ipipMTU ?? other.ipipMTU
        result.vxlanMTU = vxlanMTU ?? other.vxlanMTU
        result.vxlanMTUV6 = vxlanMTUV6 ?? other.vxlanMTUV6
        result.mtuIfacePattern = mtuIfacePattern ?? other.mtuIfacePattern
        result.allowVXLANPacketsFromWorkloads = allowVXLANPacketsFromWorkloads ?? other.allowVXLANPacketsFromWorkloads
        result.allowIPIPPacketsFromWorkloads = allowIPIPPacketsFromWorkloads ?? other.allowIPIPPacketsFromWorkloads
        result.isChecksumOffloadBroken = isChecksumOffloadBroken ?? other.isChecksumOffloadBroken
        return result
    }

    /// The MTU that is set for a tunnel; nil when it follows the host's.
    package func mtuBytes(_ encapsulation: TunnelEndpoint.Encapsulation, over family: AddressFamily) -> UInt32? {
        let set =
            switch (encapsulation, family) {
            case (.ipip, _): ipipMTU
            case (.vxlan, .ipv4): vxlanMTU
            case (.vxlan, .ipv6): vxlanMTUV6
            }
        return set == 0 ? nil : set
    }
}

extension FelixConfiguration {
    /// Reads a FelixConfiguration; nil when it is refused. Of its many fields those about tunnels are used.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        guard let name = metadata.name else {
            reader.skip(["spec"])
            return nil
        }
        if name != "default" && !(name.hasPrefix("node.") && name.count > 5) {
            reader.refuse("metadata", "the name \"\(name)\" has no meaning here; write default or node.NAME")
        }
        self.init(name: name)
        let spec = reader.mapping("spec") { spec in
            let read = FelixConfiguration(spec: &spec, name: name)
            spec.ignore(Self.missing, severity: .ineffective)
            spec.skip(Self.irrelevant)
            spec.skip(beginningWith: Self.irrelevantGroups)
            return read
        }
        if let spec { self = spec }
    }

    /// What changes the way of packets in Calico, and nothing here.
    private static let missing = [
        "deviceRouteSourceAddress", "deviceRouteSourceAddressIPv6", "interfacePrefix", "ipipEnabled",
        "ipv4ElevatedRoutePriority", "ipv4NormalRoutePriority", "ipv6ElevatedRoutePriority", "ipv6NormalRoutePriority",
        "natOutgoingAddress", "natOutgoingExclusions", "natPortRange", "vxlanEnabled", "wireguardEnabled",
        "wireguardEnabledV6",
    ]

    /// What configures policy and other data planes.
    private static let irrelevant = [
        "awsSrcDstCheck", "cgroupV2Path", "chainInsertMode", "dataplaneDriver", "dataplaneWatchdogTimeout",
        "defaultEndpointToHostAction", "deviceRouteProtocol", "disableConntrackInvalidCheck", "externalNodesList",
        "failsafeInboundHostPorts", "failsafeOutboundHostPorts", "featureDetectOverride", "featureGates",
        "floatingIPs", "genericXDPEnabled", "goGCThreshold", "goMaxProcs", "goMemoryLimitMB", "interfaceExclude",
        "interfaceRefreshInterval", "ipForwarding", "ipsetsRefreshInterval", "ipv6Support",
        "kubeNodePortRanges", "localSubnetL2Reachability", "maxIpsetSize", "metadataAddr", "metadataPort",
        "netlinkTimeout", "openstackRegion", "policySyncPathPrefix", "programClusterRoutes", "removeExternalRoutes",
        "reportingInterval", "reportingTTL", "requireMTUFile", "routeRefreshInterval", "routeSource",
        "routeSyncDisabled", "routeTableRange", "routeTableRanges", "serviceLoopPrevention",
        "sidecarAccelerationEnabled", "useInternalDataplaneDriver", "workloadSourceSpoofing", "xdpEnabled",
        "xdpRefreshInterval",
    ]

    private static let irrelevantGroups = [
        "bpf", "debug", "endpoint", "flowLogs", "health", "iptables", "istio", "log", "nftables", "prometheus",
        "usageReporting", "windows", "wireguard",
    ]

    private init(spec reader: inout FieldReader, name: String) {
        self.init(name: name)
        vxlanVNI = reader.optional("vxlanVNI", as: FieldValue.integer(in: UInt32(1)...0xff_ffff))
        vxlanPort = reader.optional("vxlanPort", as: FieldValue.integer(in: UInt16(1)...65535))
        // The smallest MTU of IPv4 (RFC 791) that leaves room for something, and that of IPv6 (RFC 8200).
        ipipMTU = reader.optional("ipipMTU", as: FieldValue.mtu(from: 576))
        vxlanMTU = reader.optional("vxlanMTU", as: FieldValue.mtu(from: 576))
        vxlanMTUV6 = reader.optional("vxlanMTUV6", as: FieldValue.mtu(from: 1280))
        mtuIfacePattern = reader.optional("mtuIfacePattern", as: FieldValue.text)
        allowVXLANPacketsFromWorkloads = reader.optional("allowVXLANPacketsFromWorkloads", as: FieldValue.bool)
        allowIPIPPacketsFromWorkloads = reader.optional("allowIPIPPacketsFromWorkloads", as: FieldValue.bool)
        isChecksumOffloadBroken =
            reader.optional("featureDetectOverride", as: FieldValue.features).flatMap { $0["ChecksumOffloadBroken"] }
    }
}

extension FieldValue {
    /// `Name=true,Other=false`: the features that are not to be detected. A name without a value leaves it to detection.
    fileprivate static func features(_ node: DocumentNode) throws(FieldError) -> [String: Bool] {
        var features: [String: Bool] = [:]
        for entry in try text(node).split(separator: ",") {
            let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
                .map { $0.filter { $0 != " " } }
            switch parts.count > 1 ? parts[1].lowercased() : "" {
            case "true": features[parts[0]] = true
            case "false": features[parts[0]] = false
            case "" where parts.count <= 2: break
            default: throw FieldError(reason: "expected NAME=true, NAME=false or NAME=, found \"\(entry)\"")
            }
        }
        return features
    }

    /// An MTU in octets, or 0 for one that follows the host's.
    fileprivate static func mtu(from least: UInt32) -> (DocumentNode) throws(FieldError) -> UInt32 {
        { (node: DocumentNode) throws(FieldError) -> UInt32 in
            let value = try integer(in: UInt32(0)...65535)(node)
            guard value == 0 || value >= least else {
                throw FieldError(reason: "expected 0 or an MTU from \(least) to 65535, found \(value)")
            }
            return value
        }
    }
}
