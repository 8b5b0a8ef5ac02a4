import BGPSession
import LinuxOS
import NIOCore
import NIOPosix
import NetTypes

/// Opens TCP connections to peers, from the address that the peer knows this node by.
struct Dialer: Sendable {
    /// The loop that every connection lives on.
    let eventLoop: any EventLoop

    /// Begins to connect. The future ends within the session's connect timeout.
    func dial(
        _ configuration: PeerConfiguration, port: UInt16, protection: ConnectionProtection,
    ) -> EventLoopFuture<any Channel> {
        do {
            let remote = try SocketAddress(ipAddress: configuration.peerAddress, port: port)
            var bootstrap = ClientBootstrap(group: eventLoop)
                .connectTimeout(TimeAmount(configuration.timing.connectTimeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try protection.apply(toDialling: channel) }
                }
            if let local = configuration.localAddress {
                bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: local, port: 0))
            }
            return bootstrap.connect(to: remote)
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    /// Why a connection could not be had, without the layers around the kernel's answer.
    static func reason(of error: any Error) -> String {
        switch error {
        case let error as IOError: SystemErrorCode(rawValue: error.errnoCode).description
        case ChannelError.connectTimeout: "no answer within the connect timeout"
        case let error as SystemError: "\(error)"
        default: "\(error)"
        }
    }
}

extension SocketAddress {
    /// The socket address of an IP address and a TCP port.
    init(ipAddress: IPAddress, port: UInt16) throws {
        try self.init(ipAddress: ipAddress.description, port: Int(port))
    }

    /// The IP address, without zone and port; nil for a Unix socket.
    var address: IPAddress? { ipAddress.flatMap { IPAddress($0) } }
}
