import CNIPlugin
import IPAMCore
import JSONKit
import LinuxOS
import NetTypes
import NodeStore
import TestKit
import Testing

/// Calls the plugin as a runtime does, with a run directory of its own.
struct PluginFixture {
    /// The run directory; it need not exist.
    let runDirectory: String
    /// CNI_NETNS of the calls.
    var netns = "/proc/thread-self/ns/net"
    /// CNI_IFNAME of the calls.
    var ifName = "eth0"
    /// CNI_ARGS of the calls.
    var arguments = ""
    /// CNI_PATH of the calls.
    var pluginPath = "/opt/cni/bin"

    /// The store of the run directory.
    var store: RunDirectory {
        get throws { RunDirectory(path: runDirectory, bootID: try BootID.current()) }
    }

    /// Writes node.json as the daemon does: one pool, and these of its blocks; an IPv6 pool without a tunnel and a block
    /// of it as well where the node is one of both families.
    func writeNodeState(
        mode: String = "bgp", blocks: [String] = ["10.244.0.0/26"], isAnnounced: Bool = true, mtuBytes: UInt32 = 1500,
        isDualStack: Bool = false, blockSize: UInt8 = 26,
    ) throws {
        let pool = NodeState.Pool(
            name: "default-pool", cidr: try #require(IPPrefix("10.244.0.0/16")), mode: mode,
            blockSize: blockSize)
        let owned = try blocks.map {
            NodeState.OwnedBlock(cidr: try #require(IPPrefix($0)), pool: pool.name, isAnnounced: isAnnounced)
        }
        let six = NodeState.Pool(name: "six", cidr: try #require(IPPrefix("fd00:10::/64")), mode: "bgp", blockSize: 122)
        let sixth = NodeState.OwnedBlock(
            cidr: try #require(IPPrefix("fd00:10::/122")), pool: six.name, isAnnounced: isAnnounced)
        try store.create()
        try store.save(
            NodeState(
                node: "node1", bootID: try BootID.current(), netnsInode: try NetNS.current().inode, mtuBytes: mtuBytes,
                generation: 1, pools: isDualStack ? [pool, six] : [pool],
                blocks: isDualStack ? owned + [sixth] : owned))
    }

    /// One call, with more members of the configuration.
    func call(
        _ command: String, _ containerID: String = "c1", role: CNIPlugin.Role = .network,
        lostSince: MonotonicTime? = nil, config members: (String, JSONValue)...,
    ) -> CNIPlugin.Outcome {
        call(command, containerID, role: role, lostSince: lostSince, members: members)
    }

    /// One call, with more members of the configuration.
    func call(
        _ command: String, _ containerID: String = "c1", role: CNIPlugin.Role = .network,
        lostSince: MonotonicTime? = nil, members: [(String, JSONValue)],
    ) -> CNIPlugin.Outcome {
        var config: JSONObject = [
            "cniVersion": "1.0.0", "name": "net", "type": "apus", "mode": "bgp", "runDir": .string(runDirectory),
            "logLevel": "error",
        ]
        for (name, value) in members { config[name] = value }
        let environment = [
            "CNI_COMMAND": command, "CNI_CONTAINERID": containerID, "CNI_NETNS": netns, "CNI_IFNAME": ifName,
            "CNI_PATH": pluginPath, "CNI_ARGS": arguments,
        ]
        return CNIPlugin.run(role, environment: .given(environment), lostSince: lostSince) {
            Array(JSONText.serialize(.object(config)).utf8)
        }
    }

    /// Whether the store holds neither attachment nor allocation.
    func isEmpty() throws -> Bool {
        let store = try store
        guard try FileStatus.of(runDirectory) != nil else { return true }
        return try store.attachments().isEmpty && store.blocks().allSatisfy(\.isUnused)
    }
}

extension CNIPlugin.Outcome {
    /// The first address of the result.
    var address: String? { answer?.object?["ips"]?.array?.first?.object?["address"]?.string }

    /// The error's code.
    var code: Int64? { answer?.object?["code"]?.int }

    /// The error's message.
    var message: String { answer?.object?["msg"]?.string ?? "" }
}

/// Calls the plugin with a run directory that does not exist yet.
func withRunDirectory(_ body: (PluginFixture) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    try body(PluginFixture(runDirectory: directory.file("run")))
    withExtendedLifetime(directory) {}
}
