import BGPSession
import BGPWire
import NIOCore

/// Cuts one connection's bytes into messages for its peer. It lives on the peer's event loop.
///
/// A message is decoded only after the one before it has been handled: the OPENs decide how an UPDATE is to be read.
final class BGPFrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: Peer
    private let connection: ConnectionID
    private var decoder = MessageDecoder()
    private var isBroken = false

    init(peer: Peer, connection: ConnectionID) {
        self.peer = peer
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        let octets = buffer.readableBytes
        peer.assumeIsolated { $0.received(octets: octets) }
        while !isBroken, buffer.readableBytes > 0 {
            let taken = decoder.push(buffer.readableBytesUInt8Span)
            buffer.moveReaderIndex(forwardBy: taken)
            drain()
            // A decoder that is full of an unfinished frame would be a frame longer than the limit allows.
            if taken == 0 { break }
        }
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

    private func drain() {
        let connection = connection
        var context = peer.assumeIsolated { $0.receivingContext(of: connection) }
        while !isBroken {
            do throws(BGPError) {
                guard let message = try decoder.nextMessage(context) else { return }
                context = peer.assumeIsolated { peer in
                    peer.received(message, on: connection)
                    // Routes change nothing in how messages are to be read.
                    if case .update = message { return context }
                    return peer.receivingContext(of: connection)
                }
            } catch {
                isBroken = true
                peer.assumeIsolated { $0.decodingFailed(error, on: connection) }
            }
        }
    }
}
