import BGPWire
import LinuxOS
import NIOCore

/// A connection of a peer that exists. An object: it is looked at and changed with every message.
final class PeerConnection {
    let channel: any Channel
    /// Cuts what comes into messages; nil while it does, and when what has come is beyond repair.
    var decoder: MessageDecoder? = MessageDecoder()
    /// The last of the session's own messages, which a close waits for.
    var lastMessage: EventLoopFuture<Void>?
    /// How many writes the kernel has not taken.
    var waitingWrites = 0
    /// Whether the session knows that there are some.
    var isBlocked = false

    /// The channel's socket, as long as the channel is active.
    private let socket: Int32?

    /// Takes a channel that is connected, on its event loop.
    init(_ channel: any Channel) {
        self.channel = channel
        let pipeline = channel.pipeline.syncOperations
        socket = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
    }

    /// Hands the kernel as much as it takes at once, past the channel and its promises: they cost more than all that was
    /// done about a short message before. Only where nothing waits in the channel.
    ///
    /// - Returns: what is left for the channel, which also finds out why a socket takes nothing.
    func sendNow(_ bytes: ByteBuffer) -> ByteBuffer {
        guard let socket, waitingWrites == 0, channel.isActive else { return bytes }
        var rest = bytes
        // SAFETY: the call reads the buffer's octets while it runs.
        let sent = unsafe bytes.withUnsafeReadableBytes { unsafe StreamSocket.sendNow($0, on: socket) }
        rest.moveReaderIndex(forwardBy: sent)
        return rest
    }
}
