import BGPSession
import NIOCore

/// Hands one connection's bytes, and its end, to its peer. It lives on the peer's event loop.
final class BGPFrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: Peer
    private let connection: ConnectionID

    init(peer: Peer, connection: ConnectionID) {
        self.peer = peer
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (octets, connection) = (unwrapInboundIn(data), connection)
        peer.assumeIsolated { $0.received(octets, on: connection) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        peer.assumeIsolated { $0.readCompleted() }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended("the peer closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ended(Dialer.reason(of: error))
        context.close(promise: nil)
    }

    private func ended(_ reason: String) {
        let connection = connection
        peer.assumeIsolated { $0.connectionEnded(connection, reason: reason) }
    }
}
