import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeStore
import PodLinks
import PodPlan

/// One node as its kernel shows it now: of this machine's nodes the one whose daemon has that run directory.
///
/// A daemon's run directory names its network namespace. The sockets are opened there, and stay there.
final class NodeKernel {
    /// The node's name.
    let name: String
    /// The run directory.
    let store: RunDirectory
    /// What the daemon has told the CNI executable.
    let state: NodeState
    /// The links, by index.
    let links: [UInt32: Link]
    /// The addresses.
    let addresses: [LinkAddress]
    /// The neighbours that have a link-layer address.
    let neighbours: [Neighbour]
    /// The pods that the run directory knows of; those whose record cannot be read are left out.
    let pods: [Attachment]
    /// The records of pods and blocks that cannot be read, each with what to do.
    let unreadable: [StoreError]
    private let netns: NetNS
    private var socket: NetlinkSocket

    /// - Throws: `CommandFailure` when there is no node.json, its namespace is gone, or the kernel does not answer.
    init(runDirectory: String) throws {
        let store = RunDirectory(path: runDirectory, bootID: try BootID.current())
        let state = try Self.state(in: store)
        self.store = store
        self.state = state
        name = state.node
        var unreadable: [StoreError] = []
        pods = try store.readableAttachments { unreadable.append($0) }
        for block in state.blocks {
            do throws(StoreError) {
                _ = try store.block(block.cidr)
            } catch {
                unreadable.append(error)
            }
        }
        self.unreadable = unreadable
        netns = try Self.namespace(inode: state.netnsInode, of: state.node)
        socket = try netns.within(
            orThrow: { NetlinkError(.socketOpen, state.node, $0.code) },
            { () throws(NetlinkError) in try NetlinkSocket() })
        links = Dictionary(try socket.links().map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
        addresses = try socket.addresses()
        neighbours = try socket.neighbours()
    }

    /// What the daemon has told the CNI executable, whether it still runs or not.
    /// - Throws: `CommandFailure` when it has told nothing since the boot.
    static func state(in store: RunDirectory) throws -> NodeState {
        if let state = try store.nodeState() { return state }
        let file = "\(store.path)/node.json"
        let reason = try Files.readIfPresent(file, limit: 8 << 20) == nil ? "no such file" : "of another boot"
        throw CommandFailure(description: "\(file): \(reason); has apusd run there since the boot?")
    }

    /// The caller's own namespace, a named one, or that of a process.
    private static func namespace(inode: UInt64, of node: String) throws -> NetNS {
        let own = try NetNS.current()
        if own.inode == inode { return own }
        let path = VisibleNamespaces.first { $0.inode == inode ? $0.name : nil }
        if let path, let candidate = try? NetNS.open(path), candidate.inode == inode { return candidate }
        throw CommandFailure(description: "the network namespace of \(node) is not to be found; run apusctl as root")
    }

    /// The host's ends of pods' links as they are now, with their routes and neighbours.
    func ends() throws(NetlinkError) -> [ObservedEnd] { try PodLinkSurvey.ends(over: &socket) }

    /// Forgets the connections of addresses that are given back.
    func forgetConnections(of addresses: [IPAddress]) throws(NetlinkError) {
        try netns.within(
            orThrow: { NetlinkError(.socketOpen, name, $0.code) },
            { () throws(NetlinkError) in try ConntrackSocket.flush(addresses) })
    }

    /// What the kernel would do with a packet to the address.
    func lookUp(_ address: IPAddress) throws -> RouteLookup { try socket.lookUp(address) }

    /// Whether a packet to the address leaves by the link.
    func reaches(_ address: IPAddress, over link: Link) -> Bool {
        let found = try? lookUp(address)
        return found?.kind == .unicast && found?.linkIndex == link.index
    }

    /// Whether a pod's record still says what it did: pods come and go while somebody looks.
    func isThere(_ pod: Attachment) -> Bool {
        let now = try? store.attachment(pod.key)
        return now == pod
    }

    /// The links by which IPv4 packets to the addresses leave; neither the loopback nor tunnels of Apus'.
    func ways(to addresses: [IPAddress]) -> [Link] {
        let indices = Set(addresses.filter { $0.family == .ipv4 }.compactMap { try? lookUp($0).linkIndex })
        return indices.compactMap { links[$0] }.filter { !$0.isLoopback && !$0.isOwnTunnel }
    }

    /// The main table's routes over a link to networks that the address is in, the shortest first.
    func routes(to address: IPAddress, over linkIndex: UInt32) throws(NetlinkError) -> [Route] {
        try socket.routes(family: address.family, linkIndex: linkIndex)
            .filter { $0.kind == .unicast && $0.destination.contains(address) }
            .sorted { $0.destination.length < $1.destination.length }
    }

    /// The chains of nftables that packets come through when the node forwards them.
    func forwardChains() throws(NetlinkError) -> [ForwardChain] {
        try netns.within(
            orThrow: { NetlinkError(.socketOpen, name, $0.code) },
            { () throws(NetlinkError) in try ForwardChain.all() })
    }

    /// The forwarding database of a VXLAN.
    func fdb(of link: Link) throws -> [FDBEntry] { try socket.fdb(linkIndex: link.index) }

    /// Whether the node itself has the address.
    func owns(_ address: IPAddress) -> Bool { addresses.contains { $0.address.address == address } }

    /// The link that has the address.
    func link(with address: IPAddress) -> Link? {
        addresses.first { $0.address.address == address }.flatMap { links[$0.linkIndex] }
    }

    /// The link-layer address that the node knows for a neighbour on a link.
    func macAddress(of address: IPAddress, on link: Link) -> MACAddress? {
        neighbours.first { $0.linkIndex == link.index && $0.address == address }?.macAddress
    }

    /// A setting of the kernel's, such as `net.ipv4.ip_forward`, its names parted by slashes; nil when it has none.
    func setting(_ path: String) -> String? {
        let bytes = try? netns.within { try? Files.readThroughLinks("/proc/sys/" + path, limit: 4096) }
        return bytes.flatMap { $0 }.map { text in
            String(decoding: text, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
        }
    }

    /// The lines of a table of the kernel's about its network (proc_pid_net(5)), without the heading.
    func table(_ name: String) -> [String] { Array(networkFile(name).dropFirst()) }

    /// What the kernel has counted of TCP on the node (proc_pid_net(5): /proc/net/netstat).
    func tcpCounters() -> [String: Int64] { Self.counters(of: "TcpExt", in: networkFile("netstat")) }

    /// Reads the counters of a group, whose first line has the names and whose second the values.
    static func counters(of group: String, in lines: [String]) -> [String: Int64] {
        let rows = lines.map { $0.split(separator: " ") }.filter { $0.first == group[...] + ":" }
        guard rows.count == 2 else { return [:] }
        return Dictionary(
            zip(rows[0].dropFirst(), rows[1].dropFirst()).compactMap { name, value in
                Int64(value).map { (String(name), $0) }
            }, uniquingKeysWith: { first, _ in first })
    }

    private func networkFile(_ name: String) -> [String] {
        // /proc/net is that of the main thread, whose namespace may be another.
        let path = "/proc/thread-self/net/" + name
        let bytes = try? netns.within { try? Files.readThroughLinks(path, limit: 16 << 20) }
        let text = bytes.flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// The TCP sockets that listen on the node.
    func listeners() -> [TCPListener] { ["tcp", "tcp6"].flatMap { table($0) }.compactMap { TCPListener(line: $0) } }

    /// Whether the node forwards packets of the family.
    func forwards(_ family: AddressFamily) -> Bool {
        setting(family == .ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding") == "1"
    }

    /// The MTU of the way to other nodes.
    ///
    /// - Parameter isFollowed: whether the daemon is there: its word counts then. Else the link with the node's own
    ///   address may have shrunk since.
    func hostMTUBytes(isFollowed: Bool) -> UInt32 {
        let uplinks = isFollowed ? [] : state.ownAddresses.compactMap { link(with: $0) }
        return min(uplinks.map(\.mtuBytes).min() ?? .max, state.mtuBytes)
    }

    /// The reverse path filter in force on a link: the larger of its own and that of all links. 1 is strict.
    func reversePathFilter(of link: Link) -> Int {
        [link.name, "all"].compactMap { setting("net/ipv4/conf/\($0)/rp_filter").flatMap { Int($0) } }.max() ?? 0
    }
}

extension AddressFamily {
    /// The setting that turns forwarding on for the whole node, as sysctl(8) names it.
    var forwardingSetting: String { self == .ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding" }
}
