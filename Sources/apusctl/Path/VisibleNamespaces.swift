import LinuxOS
import NetTypes
import Netlink

/// The network namespaces of this machine that can be seen from here: named ones, and those of processes.
enum VisibleNamespaces {
    /// What a search for an address has come to.
    struct Search {
        /// The first namespace in which a link has the address: its path and the link's index.
        var holder: (path: String, linkIndex: UInt32)?
        /// The paths of those that cannot be looked into.
        var unreadable: [String] = []
        /// Whether only a container's processes were to be seen: any other of the machine may have the address.
        var isConfined = false

        /// These paths in words, the first few.
        var unreadableText: String {
            let rest = unreadable.count - 3
            return unreadable.prefix(3).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
        }
    }

    /// Opens one after the other, each once, until `body` answers something.
    ///
    /// - Parameter unreadable: is told the path of each that is there and cannot be opened.
    static func first<Answer>(
        unreadable: (String) -> Void = { _ in }, _ body: (borrowing NetNS) -> Answer?,
    ) -> Answer? {
        // In a container that sees the machine's processes the machine's own names are those of its first one.
        let named = ["/run/netns", "/proc/1/root/run/netns"].flatMap { directory in
            list(directory, unreadable).map { "\(directory)/\($0)" }
        }
        let processes = list("/proc", unreadable).filter { $0.allSatisfy(\.isNumber) }
        var seen: Set<UInt64> = []
        for path in named + processes.map({ "/proc/\($0)/ns/net" }) {
            do throws(SystemError) {
                let candidate = try NetNS.open(path)
                guard seen.insert(candidate.inode).inserted else { continue }
                if let answer = body(candidate) { return answer }
            } catch {
                if isThere(path, after: error) { unreadable(path) }
            }
        }
        return nil
    }

    /// Looks for the address on all links of all namespaces.
    static func search(for address: IPAddress) -> Search {
        var search = Search()
        var unreadable: [String] = []
        search.holder = first(unreadable: { unreadable.append($0) }) { namespace in
            do throws(NetlinkError) {
                let addresses = try namespace.within(
                    orThrow: { NetlinkError(.socketOpen, namespace.name, $0.code) },
                    { () throws(NetlinkError) -> [LinkAddress] in
                        var socket = try NetlinkSocket()
                        return try socket.addresses()
                    })
                return addresses.first { $0.address.address == address }.map { (namespace.name, $0.linkIndex) }
            } catch {
                unreadable.append(namespace.name)
                return nil
            }
        }
        search.unreadable = unreadable
        search.isConfined = isConfined
        return search
    }

    /// Whether this process is in a container's PID namespace, so that /proc shows no process of outside.
    ///
    /// The first PID namespace of a machine has a number of its own that never changes (PROC_PID_INIT_INO of the kernel's
    /// include/linux/proc_ns.h, in no header for programs before Linux 6.18).
    private static var isConfined: Bool {
        Files.target(ofLink: "/proc/self/ns/pid") != "pid:[\(0xEFFF_FFFC as UInt32)]"
    }

    private static func list(_ directory: String, _ unreadable: (String) -> Void) -> [String] {
        do throws(SystemError) {
            return try Files.list(directory)
        } catch {
            if error.code != .ENOENT { unreadable(directory) }
            return []
        }
    }

    /// Whether there is a namespace at a path that could not be opened.
    private static func isThere(_ path: String, after error: SystemError) -> Bool {
        // A name under /run/netns that nothing is mounted on is no namespace (EINVAL).
        let absent: [SystemErrorCode] = [.ENOENT, .ESRCH, .EINVAL]
        guard !absent.contains(error.code) else { return false }
        // A process that ends meanwhile is refused once, and is not to be found the next time.
        do throws(SystemError) {
            _ = try NetNS.open(path)
            return true
        } catch {
            return !absent.contains(error.code)
        }
    }
}
