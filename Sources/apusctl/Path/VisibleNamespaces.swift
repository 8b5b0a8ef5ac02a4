import LinuxOS
import NetTypes
import Netlink

/// The network namespaces of this machine that can be seen from here: named ones, and those of processes.
enum VisibleNamespaces {
    /// Opens one after the other, each once, until `body` answers something.
    static func first<Answer>(_ body: (borrowing NetNS) -> Answer?) -> Answer? {
        let named = ((try? Files.list("/run/netns")) ?? []).map { "/run/netns/\($0)" }
        let processes = ((try? Files.list("/proc")) ?? []).filter { $0.allSatisfy(\.isNumber) }
        var seen: Set<UInt64> = []
        for path in named + processes.map({ "/proc/\($0)/ns/net" }) {
            guard let candidate = try? NetNS.open(path), seen.insert(candidate.inode).inserted else { continue }
            if let answer = body(candidate) { return answer }
        }
        return nil
    }

    /// The first in which a link has the address: its path and the link's index.
    static func holder(of address: IPAddress) -> (path: String, linkIndex: UInt32)? {
        first { namespace in
            let addresses = try? namespace.within(
                orThrow: { NetlinkError(.socketOpen, namespace.name, $0.code) },
                { () throws(NetlinkError) -> [LinkAddress] in
                    var socket = try NetlinkSocket()
                    return try socket.addresses()
                })
            return addresses?.first { $0.address.address == address }.map { (namespace.name, $0.linkIndex) }
        }
    }
}
