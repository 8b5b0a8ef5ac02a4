import BGPSession
import BGPWire
import NIOCore

// What goes to the peer.
extension Peer {
    /// Sends routes to the peer, unless the session they are for is over. The outlet is free when they are with the
    /// kernel, so that at most one delivery waits for the socket.
    func send(_ routes: [ByteBuffer], messages: UInt64, epoch: UInt64) {
        guard let up, up.epoch == epoch, let channel = links[up.connection]?.channel, let last = routes.last else {
            return outlet.release()
        }
        session.countSent(updates: messages)
        // The channel has the socket take many at once.
        guard routes.count > 1 else { return _ = write(last, on: up.connection, releasing: outlet) }
        for buffer in routes.dropLast() { channel.write(buffer, promise: nil) }
        _ = writeByChannel(last, on: up.connection, releasing: outlet)
    }

    func send(_ message: BGPMessage, on connection: ConnectionID, releasing outlet: PeerOutlet? = nil) {
        guard let channel = links[connection]?.channel else {
            outlet?.release()
            return
        }
        let bytes = message.encode(wireContext(of: connection))
        let written = write(channel.allocator.buffer(bytes: bytes), on: connection, releasing: outlet)
        links[connection]?.lastMessage = written
    }

    /// Writes, and lets the session know when the kernel does not take it at once, and when it takes some after all.
    private func write(
        _ bytes: ByteBuffer, on connection: ConnectionID, releasing outlet: PeerOutlet? = nil,
    ) -> EventLoopFuture<Void>? {
        guard let link = links[connection] else { return nil }
        let rest = link.sendNow(bytes)
        guard rest.readableBytes > 0 else {
            outlet?.release()
            return nil
        }
        return writeByChannel(rest, on: connection, releasing: outlet)
    }

    private func writeByChannel(
        _ bytes: ByteBuffer, on connection: ConnectionID, releasing outlet: PeerOutlet?,
    ) -> EventLoopFuture<Void>? {
        guard let link = links[connection] else { return nil }
        link.waitingWrites += 1
        let written = link.channel.writeAndFlush(bytes)
        // This runs within the call if the kernel has taken everything already.
        written.whenComplete { _ in
            outlet?.release()
            self.assumeIsolated { $0.wrote(on: connection) }
        }
        guard link.waitingWrites > 0, !link.isBlocked, links[connection] != nil else { return written }
        link.isBlocked = true
        handle(.sendBlocked(connection))
        return written
    }

    private func wrote(on connection: ConnectionID) {
        guard let link = links[connection] else { return }
        link.waitingWrites -= 1
        guard link.isBlocked else { return }
        handle(.sendResumed(connection))
        if link.waitingWrites > 0 {
            handle(.sendBlocked(connection))
        } else {
            link.isBlocked = false
        }
    }
}
