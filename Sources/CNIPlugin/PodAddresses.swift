import CNISpec
import IPAMCore
import ModePlugins
import NetTypes

/// What an ADD has found for its pod, whoever keeps the books of the addresses.
struct PodAddresses: Sendable {
    /// The addresses.
    var addresses: [IPAddress]
    /// The gateways that another IPAM plugin names. The pod has its own one; they are told on, for that plugin's CHECK
    /// looks for them in the result.
    var gateways: [IPAddress: IPAddress] = [:]
    /// Where the pod's routes lead; none for the default route.
    var destinations: [IPPrefix]
    /// The resolver's settings that came with them.
    var dns: CNIResult.DNS
    /// What must be announced for the others to reach the pod, and is not yet as far as node.json says.
    var unannounced: [IPPrefix]
    /// What the daemon has said of the node.
    var node: NodeState
    /// The mode of the addresses' pools.
    var mode: EncapsulationMode
}
