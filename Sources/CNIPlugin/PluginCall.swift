import CNISpec
import IPAMCore
import JSONKit
import LinuxOS
import ModePlugins
import NetTypes
import NodeStore

/// One call of the plugin: what was asked, and where the things are that it works on.
struct PluginCall: Sendable {
    /// How long to wait for the store's lock. It is held for well under a millisecond at a time.
    static let lockTimeout = Duration.seconds(10)
    /// How long to wait for it without looking whether the call is still wanted, where that may change.
    private static let lockSlice = Duration.milliseconds(50)
    /// Sooner after a call was taken nobody can have gone and had a DEL carried out by a process of its own.
    private static let swiftestDelete = Duration.microseconds(500)

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
    /// What the runtime gave, as it gave it: for a plugin that is called in turn.
    private(set) var input: PluginInput

    /// Joins the two halves of the input; nothing is touched.
    init(environment: CNIEnvironment, config: NetworkConfig, input: PluginInput = PluginInput()) throws {
        self.environment = environment
        self.config = config
        self.input = input
        key = AttachmentKey(
            network: config.name, containerID: environment.containerID, ifName: environment.ifName)
        if let server = input.server {
            store = server.store
        } else {
            store = RunDirectory(
                path: config.runDirectory ?? RunDirectory.defaultPath, bootID: try BootID.current())
        }
        log = PluginLog(
            level: config.logLevel, path: config.logFile,
            rotation: LogFile.Rotation(maximumBytes: config.logFileMaxBytes, olderFiles: config.logFileMaxCount),
            client: input.server?.client)
    }

    /// node.json, as it is now; nil if there is none.
    func nodeState() throws(StoreError) -> NodeState? {
        if let server = input.server { return try server.desk.nodeState() }
        return try store.nodeState()
    }

    /// The call as if it were about another link of the network, whose container's namespace nobody knows.
    func about(_ key: AttachmentKey) -> PluginCall {
        var call = self
        call.key = key
        let own = ["CNI_CONTAINERID": key.containerID, "CNI_IFNAME": key.ifName, "CNI_NETNS": ""]
        call.input.variables = .given(input.variables.all.merging(own) { _, new in new })
        return call
    }

    /// Whether the call is to be given up: the process that was called has been killed, or the one that carries it out ends.
    var isAbandoned: Bool { input.server?.client.hasGone ?? false }

    /// - Throws: error 11 when the call is to be given up.
    func checkIsWanted() throws(CNIError) {
        if isAbandoned { throw CNIError(.tryAgainLater, "given up: the caller is gone, or apusd ends") }
    }

    /// As `checkIsWanted`, where a DEL that has come meanwhile has found nothing. To look is a system call, which an ADD
    /// that is done at once is spared.
    func checkIsWantedIfLate() throws(CNIError) {
        guard let server = input.server, BootClock.now() - server.takenAt >= Self.swiftestDelete else { return }
        try checkIsWanted()
    }

    /// Takes the store's lock.
    /// - Throws: as the store does; error 11 when the call is to be given up meanwhile.
    func lock() throws -> StoreLock {
        guard input.server != nil else { return try store.lock(deadline: Self.lockTimeout) }
        let deadline = BootClock.now() + Self.lockTimeout
        while true {
            do throws(StoreError) {
                return try store.lock(deadline: Self.lockSlice)
            } catch {
                guard case .lockTimeout = error, BootClock.now() < deadline else { throw error }
            }
            try checkIsWanted()
        }
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
        if let mtu = config.mtuBytes ?? node.podMTUBytes { return mtu }
        let enabled = node.pools.filter { !$0.isDisabled }.compactMap { EncapsulationMode(rawValue: $0.mode) }
        return ModeRegistry.builtIn.podMTUBytes(hostMTUBytes: node.mtuBytes, enabled: enabled)
    }

    /// What is asked for of the pod.
    /// - Throws: error 7 or 4 naming what is wrong; error 2 for a capability that Apus has nothing for.
    func requests() throws(CNIError) -> PodRequests {
        if let name = config.unservedCapabilities.first {
            throw CNIError(
                .unsupportedField,
                "runtimeConfig.\(name): not a capability of Apus; declare it at the plugin of the chain that has it",
                details: "Apus has ips, mac, dns and io.kubernetes.cri.pod-annotations")
        }
        return try PodRequests(config, environment.arguments) { try? JSONText.parse($0) }
    }
}

/// Environment and standard input of one call, word for word.
struct PluginInput: Sendable {
    /// The environment.
    var variables = CallVariables.given([:])
    /// Standard input.
    var text: [UInt8] = []
    /// When the call was handed to a daemon that has not answered; nil when it was not.
    var lostSince: MonotonicTime?
    /// The process that carries the call out for the one that was called; nil where that is this one.
    var server: CallServing?
}

/// Who has handed a call over, and waits.
package protocol CallClient: Sendable {
    /// Takes one line for its standard error, with its end.
    func hear(_ line: String)

    /// Whether it waits no more, or is not to wait any more.
    var hasGone: Bool { get }
}

/// What a process that carries out the calls of others has for one of them.
struct CallServing: Sendable {
    /// The store it serves.
    let store: RunDirectory
    /// The inode of the network namespace it is in, and whoever called.
    let netnsInode: UInt64
    /// That namespace.
    let home: SharedNetNS?
    /// What turns forwarding on in that namespace.
    let forwarding: [AddressFamily: KeptSetting]
    /// The daemon, which it is part of.
    let desk: any OwnDaemon
    /// Who has handed it over.
    let client: any CallClient
    /// The container's namespace, as the caller has opened it; nil if it has not.
    let sandbox: SharedDescriptor?
    /// When it was taken.
    let takenAt = BootClock.now()
}

/// A descriptor that is closed when nobody needs it any more.
final class SharedDescriptor: Sendable {
    /// The descriptor.
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
