import LinuxOS
import NIOCore
import NetTypes
import Resources

/// TCP-MD5 (RFC 2385) and GTSM (RFC 5082) of one peer's connections.
struct ConnectionProtection: Sendable {
    private let peer: IPAddress
    private let password: Secret?
    private let minimumTTL: UInt8?

    /// What the peer's settings ask for.
    init(_ settings: NodeView.Peer) {
        peer = settings.address
        password = settings.password
        // A neighbour's packets come with the TTL they were sent with; each hop beyond takes one.
        minimumTTL = settings.session.ttlSecurityHops.map { TCPProtection.maximumTTL - ($0 - 1) }
    }

    /// Protects a connection before it is opened: its first segment is signed already.
    func apply(toDialling channel: any Channel) throws {
        try channel.withSocket { socket throws(SystemError) in
            if let password { try TCPProtection.setMD5Key(password.bytes, for: peer, on: socket) }
            guard let minimumTTL else { return }
            try TCPProtection.sendFarthest(peer.family, on: socket)
            try TCPProtection.acceptFrom(ttl: minimumTTL, peer.family, on: socket)
        }
    }

    /// Protects a connection that the peer opened. The key came with it from the listening socket.
    func apply(toAccepted channel: any Channel) throws {
        guard let minimumTTL else { return }
        try channel.withSocket { socket throws(SystemError) in
            try TCPProtection.sendFarthest(peer.family, on: socket)
            try TCPProtection.acceptFrom(ttl: minimumTTL, peer.family, on: socket)
        }
    }
}

extension Channel {
    /// Lends the channel's socket by its number, not to be closed. On the channel's event loop only.
    func withSocket(_ body: (Int32) throws(SystemError) -> Void) throws {
        try pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self, body)
    }
}
