import CNISpec
import JSONKit
package import LinuxOS
import NetTypes
import Netlink
package import NodeStore

/// The daemon's side of `CallHandover`: what it carries out for others, and what it leaves to them.
package struct CallService: Sendable {
    private let store: RunDirectory
    private let netnsInode: UInt64
    private let home: SharedNetNS?
    private let forwarding: [AddressFamily: KeptSetting]
    private let desk: any OwnDaemon
    private let version: String

    /// - Parameters:
    ///   - store: the store that is served.
    ///   - netnsInode: the inode of the network namespace this process is in.
    ///   - desk: the daemon.
    ///   - version: the version of the program.
    package init(store: RunDirectory, netnsInode: UInt64, desk: any OwnDaemon, version: String) {
        self.store = store
        self.netnsInode = netnsInode
        let home = Self.home(netnsInode)
        self.home = home
        // Of no other namespace.
        let families = home == nil ? [] : AddressFamily.allCases
        forwarding = Dictionary(
            uniqueKeysWithValues: families.map { ($0, KeptSetting(PluginCall.forwarding($0))) })
        self.desk = desk
        self.version = version
    }

    /// The namespace of that inode, if this thread is in it.
    private static func home(_ inode: UInt64) -> SharedNetNS? {
        guard let current = try? NetNS.current(), current.inode == inode else { return nil }
        return SharedNetNS(current)
    }

    /// What keeps this process from doing for others what they may do themselves; nil if nothing does. A daemon may be
    /// confined to less than its node's network needs.
    package func obstacle() -> String? {
        do throws(SystemError) {
            try NetNS.current().within { () throws(SystemError) in
                try Sysctl.checkWritable(["net", "ipv4", "ip_forward"])
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Looks at a call. Nothing is touched.
    ///
    /// - Parameters:
    ///   - packet: a `HandedCall`.
    ///   - sandbox: the container's network namespace, as the caller has opened it.
    ///   - client: who has handed it over.
    ///   - memory: what the same thread has read before.
    /// - Returns: nil for what the caller is to do by itself: what is wrong, so that it says so; what is of another store
    ///   or namespace or of another version; what starts another program, or writes a file of the caller's.
    package func take(
        _ packet: [UInt8], sandbox: consuming FileDescriptor?, client: any CallClient, memory: inout CallMemory,
    ) -> TakenCall? {
        guard let handed = HandedCall(packet: packet), handed.version == version, handed.netnsInode == netnsInode,
            let environment = try? CNIEnvironment({ handed.variables[$0] }),
            environment.command == .add || environment.command == .delete,
            let (config, statedVersion) = memory.configs.config(handed.config, for: environment.command),
            (config.runDirectory ?? RunDirectory.defaultPath) == store.path,
            config.logFile == nil, !IPAMDelegate.isNamed(by: config)
        else { return nil }
        let shared: SharedDescriptor?
        switch consume sandbox {
        case .some(let descriptor): shared = SharedDescriptor(descriptor)
        case .none: shared = nil
        }
        // Without it there is nothing to add to.
        guard shared != nil || environment.command == .delete else { return nil }
        let input = PluginInput(
            variables: .given(handed.variables), text: handed.config,
            server: CallServing(
                store: store, netnsInode: netnsInode, home: home, forwarding: forwarding, desk: desk, client: client,
                sandbox: shared))
        guard let call = try? PluginCall(environment: environment, config: config, input: input) else { return nil }
        return TakenCall(call: call, statedVersion: statedVersion)
    }
}

/// What a thread keeps from one call to the next.
package struct CallMemory: ~Copyable {
    fileprivate var configs = ConfigMemory()
    /// A socket in the host's namespace, all of whose answers have been read.
    fileprivate var hostSocket: NetlinkSocket?

    /// Nothing is kept yet.
    package init() {}
}

/// The configurations of the ADD and the DEL before: the next ones' are often the same to the letter, but for the result
/// of the pod's ADD, which a DEL has in it and does not look at.
private struct ConfigMemory: Sendable {
    private typealias Known = (text: [UInt8], config: NetworkConfig, statedVersion: CNIVersion)

    private var added: Known?
    private var deleted: Known?

    /// Reads a configuration; nil where something is wrong with it.
    mutating func config(
        _ text: [UInt8], for command: CNICommand,
    ) -> (config: NetworkConfig, statedVersion: CNIVersion)? {
        let isDelete = command == .delete
        let essence = isDelete ? PlainMember.cut("prevResult", from: text) ?? text : text
        if let known = isDelete ? deleted : added, known.text == essence { return (known.config, known.statedVersion) }
        guard let json = try? JSONText.parse(text), var config = try? NetworkConfig(json, for: command) else {
            return nil
        }
        let statedVersion = NetworkConfig.statedVersion(of: json) ?? .newest
        if isDelete {
            config.previousResult = nil
            deleted = (essence, config, statedVersion)
        } else {
            added = (essence, config, statedVersion)
        }
        return (config, statedVersion)
    }
}

/// A call that the daemon carries out.
package struct TakenCall: Sendable {
    fileprivate let call: PluginCall
    /// The version that errors are of.
    fileprivate let statedVersion: CNIVersion

    /// Carries it out; the thread is in the host's network namespace before and after.
    ///
    /// - Parameter memory: what the thread has kept, and keeps.
    /// - Returns: the exit status and what goes to standard output.
    package func run(_ memory: inout CallMemory) -> (status: UInt8, output: [UInt8]) {
        do {
            let answer = try CNIPlugin.answer(call, .network, BootClock.now(), &memory.hostSocket)
            guard let answer else { return (0, []) }
            let text = CNIPlugin.text(answer)
            // Blanks before what is nested deeply may be most of it.
            return (0, text.count > CallVerdict.maximumLength / 2 ? CNIPlugin.text(answer, pretty: false) : text)
        } catch {
            return (1, CNIPlugin.text(CNIError(error).json(version: statedVersion)))
        }
    }
}
