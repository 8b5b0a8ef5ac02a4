import BGPWire
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

    init(_ channel: any Channel) { self.channel = channel }
}
