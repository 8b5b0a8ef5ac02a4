import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import NodeStore

/// One call of the plugin: what was asked, and where the things are that it works on.
struct PluginCall: Sendable {
    /// How long to wait for the store's lock. It is held for well under a millisecond at a time.
    static let lockTimeout = Duration.seconds(10)

    /// The CNI_* variables.
    let environment: CNIEnvironment
    /// The configuration.
    let config: NetworkConfig
    /// Whose link this is about; GC's and STATUS' has a network alone.
    private(set) var key: AttachmentKey
    /// The store.
    let store: RunDirectory
    /// The log.
    let log: PluginLog

    /// Joins the two halves of the input; nothing is touched.
    init(environment: CNIEnvironment, config: NetworkConfig) throws {
        self.environment = environment
        self.config = config
        key = AttachmentKey(
            network: config.name, containerID: environment.containerID, ifName: environment.ifName)
        store = RunDirectory(
            path: config.runDirectory ?? RunDirectory.defaultPath, bootID: try BootID.current())
        log = PluginLog(level: config.logLevel, path: config.logFile)
    }

    /// The call as if it were about another link of the network.
    func about(_ key: AttachmentKey) -> PluginCall {
        var call = self
        call.key = key
        return call
    }

    /// The mode that the configuration demands; nil if it leaves it to the pools.
    /// - Throws: error 7 for a word that is no mode, error 2 for a mode this build has no plugin for.
    func requiredMode() throws -> EncapsulationMode? {
        guard let word = config.mode else { return nil }
        guard let mode = EncapsulationMode(rawValue: word) else {
            let known = EncapsulationMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw CNIError(.invalidConfig, "mode: \"\(word)\" is no mode; there are \(known)")
        }
        return mode
    }

    /// The MTU of a pod's link in octets: the configuration's, else the node's less what the dearest of its modes costs.
    func podMTUBytes(_ node: NodeState) -> UInt32 {
        if let mtu = config.mtuBytes { return mtu }
        let enabled = node.pools.filter { !$0.isDisabled }.compactMap { EncapsulationMode(rawValue: $0.mode) }
        return ModeRegistry.builtIn.podMTUBytes(hostMTUBytes: node.mtuBytes, enabled: enabled)
    }

    /// The address asked for of a family: by capability or `args`, else by CNI_ARGS.
    /// - Throws: error 4 for an IP in CNI_ARGS that is no address.
    func requestedAddress(_ family: AddressFamily) throws -> IPAddress? {
        var requested = config.requestedAddresses
        if requested.isEmpty, let text = environment.arguments["IP"] {
            for item in text.split(separator: ",") {
                guard let address = IPAddress(item) ?? CIDRAddress(item)?.address else {
                    throw CNIError(.invalidEnvironment, "CNI_ARGS: IP=\(text) is no address", details: text)
                }
                requested.append(address)
            }
        }
        return requested.first { $0.family == family }
    }
}
