import LinuxOS

/// Who listens on a TCP port (proc_pid_net(5): /proc/net/tcp, state 0A).
struct ListeningPort {
    /// The program's name (/proc/PID/comm); nil when nobody's descriptors can be read.
    let owner: String?

    /// The listener on BGP's port in a node's network namespace; nil when there is none.
    static func bgp(in node: NodeKernel) -> ListeningPort? {
        let lines = ["tcp", "tcp6"].flatMap { node.table($0) }
        for line in lines {
            let fields = line.split(separator: " ")
            // sl, local address, remote address, state, queues, timer, retransmissions, uid, timeout, inode.
            guard fields.count > 9, fields[3] == "0A", fields[1].hasSuffix(":00B3") else { continue }
            return ListeningPort(owner: SocketHolder.find(socketInode: String(fields[9]))?.program)
        }
        return nil
    }
}
