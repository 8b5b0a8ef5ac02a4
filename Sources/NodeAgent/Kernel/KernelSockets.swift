import Dataplane
import LinuxOS
import NetTypes
import Netlink

/// The netlink sockets of the kernel agent's thread: one that carries routes, one that looks at everything else.
final class KernelSockets {
    /// The routes and the socket that carries them.
    var routes: RouteDriver<NetlinkSocket>
    /// Who asks for changes of routes, to the kernel.
    private(set) var port: NetlinkPort
    private var viewer: NetlinkSocket

    /// Opens both in the calling thread's network namespace.
    init(protocolNumber: UInt8) throws(NetlinkError) {
        viewer = try NetlinkSocket()
        let kernel = try NetlinkSocket()
        port = kernel.port
        routes = RouteDriver(kernel: kernel, protocolNumber: protocolNumber)
    }

    /// Replaces both, the one having failed; the routes' table stays.
    func reopen() throws(NetlinkError) {
        viewer = try NetlinkSocket()
        let kernel = try NetlinkSocket()
        port = kernel.port
        routes.reopen(with: kernel)
    }

    /// Every link.
    func links() throws(NetlinkError) -> [Link] { try viewer.links() }

    /// Every address.
    func addresses() throws(NetlinkError) -> [LinkAddress] { try viewer.addresses() }

    /// The main table's routes of both families.
    func mainTable() throws(NetlinkError) -> [Route] {
        try viewer.routes(family: .ipv4) + viewer.routes(family: .ipv6)
    }
}
