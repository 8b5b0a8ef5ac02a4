package import NetTypes
import NodeStore
package import Resources

/// Where one node's daemon finds and leaves its things.
package struct AgentOptions: Sendable {
    /// The node's name, as the Node resource and the BlockAffinities have it.
    package var nodeName: String
    /// A directory of YAML resources, or one multi-document file.
    package var configurationPath: String
    /// The run directory shared with the CNI executable, on a tmpfs: gone after a reboot.
    package var runDirectory: String
    /// What outlives a boot: blocks that the node claimed by itself.
    package var stateDirectory: String
    /// Whether the daemon turns the node's IP forwarding on. Off means that the operator has.
    package var managesForwarding: Bool
    /// Where Prometheus asks for numbers, as an address and a TCP port; nil: nowhere.
    package var metricsEndpoint: (address: String, port: UInt16)?
    /// How long a tunnel device is kept after the last sign that somebody needs it.
    package var tunnelGrace: Duration
    /// Whether the daemon carries out the ADDs and DELs that are handed to it. Off leaves each to the process that the
    /// runtime has started.
    package var servesCalls = true
    /// Where the node's own addresses come from.
    package var addressSources: [AddressFamily: NodeAddressSource] = [:]
    /// The pools of a cluster without an IPPool.
    package var defaultPools = DefaultPools()

    /// Gathers the options.
    package init(
        nodeName: String, configurationPath: String, runDirectory: String = "/run/apus",
        stateDirectory: String = "/var/lib/apus", managesForwarding: Bool = true,
        metricsEndpoint: (address: String, port: UInt16)? = nil,
        tunnelGrace: Duration = .seconds(30),
    ) {
        self.metricsEndpoint = metricsEndpoint
        self.nodeName = nodeName
        self.configurationPath = configurationPath
        self.runDirectory = runDirectory
        self.stateDirectory = stateDirectory
        self.managesForwarding = managesForwarding
        self.tunnelGrace = tunnelGrace
    }

    /// Whether the text is an address that can be listened on; a name is none.
    package static func isAddress(_ text: String) -> Bool { IPAddress(text) != nil }

    /// Whether a daemon can serve a run directory of this path: its socket's has to be a short one.
    package static func isRunDirectory(_ path: String) -> Bool { !path.isEmpty && RunDirectory.hasRoomForSocket(path) }

    /// Whether a Node resource can have the name; it is part of the names of files, too.
    package static func isNodeName(_ text: String) -> Bool { ResourceName.isValid(text) }
}
