package import NetTypes

/// The cluster's BGP settings (`kind: BGPConfiguration`, name `default`), or one node's (`node.NAME`).
///
/// A field that the resource does not set is nil; `ClusterConfiguration` puts the defaults in.
package struct BGPConfiguration: Sendable, Hashable {
    /// The AS of nodes that name none, where the resource names none: 64512.
    package static let defaultASNumber = ASNumber(64512)
    /// The TCP port of BGP (RFC 4271 §8.2.1).
    package static let defaultListenPort: UInt16 = 179
    /// How long the routes of a node that restarts are kept: BIRD's default.
    package static let defaultMaxRestartTime: Duration = .seconds(120)
    /// How long clients keep what their route reflectors told them when all of these are gone.
    package static let defaultLongLivedStaleTime: Duration = .seconds(3600)

    /// metadata.name: `default` or `node.NAME`.
    package var name: String
    /// The AS number of the nodes that name none.
    package var asNumber: ASNumber?
    /// Whether all nodes peer with each other.
    package var nodeToNodeMeshEnabled: Bool?
    /// The port that nodes listen on, and that the mesh connects to.
    package var listenPort: UInt16?
    /// How long the mesh keeps the routes of a node that restarts (RFC 4724).
    package var nodeMeshMaxRestartTime: Duration?
    /// The TCP-MD5 key of the mesh (RFC 2385).
    package var nodeMeshPassword: SecretReference?
    /// How BFD watches the mesh; nil: not at all.
    package var nodeMeshBFD: BFDOptions?
    /// Whether learned routes go into the kernel.
    package var programClusterRoutes: RouteProgramming?

    /// Where peers are accepted.
    package var bindMode: BindMode?

    /// At which of the node's addresses peers are accepted.
    package enum BindMode: String, Sendable, Hashable, CaseIterable {
        /// At every one.
        case none = "None"
        /// At those that its Node resource names; the default here.
        case nodeIP = "NodeIP"
    }

    /// Who programs the routes to other nodes. Only `Disabled` makes a difference here: one daemon programs the routes of
    /// all modes, and a node that only reflects needs none.
    package enum RouteProgramming: String, Sendable, Hashable, CaseIterable {
        case enabled = "Enabled"
        case enabledNoEncapOnly = "EnabledNoEncapOnly"
        case enabledIPIPOnly = "EnabledIPIPOnly"
        case disabled = "Disabled"
    }
    /// The communities for what is announced; nil where the resource does not speak of them.
    package var prefixAdvertisements: [PrefixAdvertisement]?

    /// Makes the settings.
    package init(
        name: String = "default", asNumber: ASNumber? = nil, nodeToNodeMeshEnabled: Bool? = nil,
        listenPort: UInt16? = nil, nodeMeshMaxRestartTime: Duration? = nil,
        programClusterRoutes: RouteProgramming? = nil,
    ) {
        self.name = name
        self.asNumber = asNumber
        self.nodeToNodeMeshEnabled = nodeToNodeMeshEnabled
        self.listenPort = listenPort
        self.nodeMeshMaxRestartTime = nodeMeshMaxRestartTime
        self.programClusterRoutes = programClusterRoutes
    }
}
