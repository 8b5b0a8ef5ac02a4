import Dataplane
import LinuxOS
import NIOPosix
import NetTypes
import Netlink

/// The netlink sockets of the kernel agent's thread: one that carries routes, one for tunnels, one that looks at
/// everything else.
final class KernelSockets {
    /// The routes and the socket that carries them.
    var routes: RouteDriver<RouteWriter>
    /// The tunnel devices with their tables, and the socket that carries them.
    var tunnels: TunnelDriver
    /// Who asks for changes of routes, to the kernel.
    private(set) var port: NetlinkPort
    private var viewer: NetlinkSocket
    private let writerThread: NIOThreadPool
    private let answered: Signal

    /// Opens them in the calling thread's network namespace. Large batches of routes are written on `writerThread`;
    /// `answered` is raised when one is done.
    init(protocolNumber: UInt8, writerThread: NIOThreadPool, answered: Signal) throws(NetlinkError) {
        self.writerThread = writerThread
        self.answered = answered
        viewer = try NetlinkSocket()
        let kernel = try RouteWriter(thread: writerThread, answered: answered)
        port = kernel.port
        // Programs that leave it to the kernel have small numbers, those of others begin where they are told.
        let firstNextHop = UInt32(protocolNumber) << 24 | .random(in: 0..<1 << 8) << 16
        routes = RouteDriver(kernel: kernel, protocolNumber: protocolNumber, firstNextHop: firstNextHop)
        tunnels = TunnelDriver(socket: try NetlinkSocket(), protocolNumber: protocolNumber)
    }

    /// Replaces them, one having failed; the tables stay.
    func reopen() throws(NetlinkError) {
        viewer = try NetlinkSocket()
        let kernel = try RouteWriter(thread: writerThread, answered: answered)
        port = kernel.port
        routes.reopen(with: kernel)
        tunnels.reopen(with: try NetlinkSocket())
    }

    /// Every link.
    func links() throws(NetlinkError) -> [Link] { try viewer.links() }

    /// The link of that index, or nil.
    func link(index: UInt32) throws(NetlinkError) -> Link? { try viewer.link(index: index) }

    /// What the kernel would do with a packet to the address.
    func lookUp(_ address: IPAddress, from source: IPAddress? = nil) throws(NetlinkError) -> RouteLookup {
        try viewer.lookUp(address, from: source)
    }

    /// Carries out requests in order; those that failed.
    func execute(_ batch: NetlinkBatch) throws(NetlinkError) -> [NetlinkFailure] {
        try viewer.execute(batch, acknowledgeEach: false)
    }

    /// Every address.
    func addresses() throws(NetlinkError) -> [LinkAddress] { try viewer.addresses() }

    /// The main table's routes that a router has advertised.
    func advertisedRoutes() throws(NetlinkError) -> [Route] { try viewer.advertisedRoutes() }

    /// The main table's routes of both families.
    func mainTable() throws(NetlinkError) -> [Route] {
        try viewer.routes(family: .ipv4) + viewer.routes(family: .ipv6)
    }

    /// Those of them that are not of this protocol number.
    func mainTable(otherThan protocolNumber: UInt8) throws(NetlinkError) -> [Route] {
        try viewer.routes(family: .ipv4, otherThan: protocolNumber)
            + viewer.routes(family: .ipv6, otherThan: protocolNumber)
    }
}
