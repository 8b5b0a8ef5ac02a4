/// Names one TCP connection, or one attempt at it, of a peer.
///
/// The session numbers the connections it dials; the shell numbers those it accepts, with serials it never uses twice.
/// The direction is part of the name, so the two number spaces cannot meet.
package struct ConnectionID: Sendable, Hashable, CustomStringConvertible {
    /// Which side opened the connection.
    package enum Direction: Sendable, Hashable {
        /// The peer dialled.
        case incoming
        /// This speaker dialled.
        case outgoing
    }

    /// Which side opened the connection.
    package let direction: Direction
    /// The number within the direction.
    package let serial: UInt64

    /// The name of a connection that the shell accepted.
    package static func incoming(_ serial: UInt64) -> ConnectionID {
        ConnectionID(direction: .incoming, serial: serial)
    }

    /// The name of a connection that the session dials.
    package static func outgoing(_ serial: UInt64) -> ConnectionID {
        ConnectionID(direction: .outgoing, serial: serial)
    }

    private init(direction: Direction, serial: UInt64) {
        self.direction = direction
        self.serial = serial
    }

    /// `incoming 3` or `outgoing 3`.
    package var description: String {
        switch direction {
        case .incoming: "incoming \(serial)"
        case .outgoing: "outgoing \(serial)"
        }
    }
}
