import LinuxOS
import NetTypes
import NodeLink

// Somebody else who listens where BGP should.
extension Diagnosis {
    /// - Parameters:
    ///   - listening: where the daemon listens, or would.
    ///   - listeners: who listens, at any port.
    ///   - owner: the program that holds a socket; nil when it is not to be found.
    mutating func checkPort(
        _ listening: BGPListening, _ listeners: [TCPListener],
        owner: (TCPListener) -> String? = { SocketHolder.find(socketInode: $0.inode)?.program },
    ) {
        var told: Set<String> = []
        for address in listening.addresses {
            let owners = listeners.filter { $0.port == listening.port && $0.excludes(address) }.compactMap(owner)
            // What apusd has is not taken.
            guard let other = owners.first, !owners.contains("apusd"), told.insert(other).inserted else { continue }
            add(
                "TCP port \(listening.port) is held by \(other), not by apusd",
                "stop \(other), or give BGPConfiguration another listenPort")
        }
    }
}
