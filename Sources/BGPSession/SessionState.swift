import BGPWire
import NetTypes

/// The state of a peer, with what each state owns and nothing else.
enum SessionState: Sendable, Equatable {
    /// Not wanted: connections are refused.
    case idle
    /// Wanted, and kept in Idle for a while because it failed again and again: connections are refused.
    case held
    /// A dial is under way and there is no connection.
    case connect(dial: ConnectionID)
    /// Waiting for the retry timer or for the peer to dial.
    case active
    /// One or two connections exchange OPENs.
    case opening(Opening)
    /// Routes flow.
    case established(Established)

    /// The name in the RFC's terms.
    var name: SessionStateName {
        switch self {
        case .idle, .held: .idle
        case .connect: .connect
        case .active: .active
        case .opening(let opening):
            opening.handshakes.contains { $0.negotiated != nil } ? .openConfirm : .openSent
        case .established: .established
        }
    }

    /// The connections that exist, without dials under way.
    var connections: [ConnectionID] {
        switch self {
        case .idle, .held, .connect, .active: []
        case .opening(let opening): opening.handshakes.map(\.id)
        case .established(let up): [up.id] + (up.candidate.map { [$0.id] } ?? [])
        }
    }
}

/// The connections on which OPENs are exchanged, and the dial that may still be under way beside them.
struct Opening: Sendable, Equatable {
    /// The attempt that has not connected yet.
    var dial: ConnectionID?
    /// The oldest connection.
    var first: Handshake
    /// The one that collides with it.
    var second: Handshake?

    /// Both, the oldest first.
    var handshakes: [Handshake] { [first] + (second.map { [$0] } ?? []) }

    /// The handshake on a connection.
    func handshake(on id: ConnectionID) -> Handshake? {
        handshakes.first { $0.id == id }
    }

    /// The handshake that collides with the one on a connection.
    func rival(of id: ConnectionID) -> Handshake? {
        handshakes.first { $0.id != id }
    }

    /// Stores what became of a handshake; one that is not here is ignored.
    mutating func update(_ handshake: Handshake) {
        if first.id == handshake.id {
            first = handshake
        } else if second?.id == handshake.id {
            second = handshake
        }
    }

    /// What is left without a connection: the other handshake and the dial, the dial alone, or nothing.
    func removing(_ id: ConnectionID) -> SessionState {
        if let rest = rival(of: id) { return .opening(Opening(dial: dial, first: rest, second: nil)) }
        return dial.map { .connect(dial: $0) } ?? .active
    }
}

/// One connection from its OPEN to the first KEEPALIVE.
struct Handshake: Sendable, Equatable {
    /// The connection.
    let id: ConnectionID
    /// When TCP connected.
    let connectedAt: MonotonicTime
    /// When the last message came.
    var lastReceived: MonotonicTime
    /// What was agreed, from the peer's OPEN on: nil is OpenSent, the rest is OpenConfirm.
    var negotiated: Negotiated?

    /// A connection on which nothing came yet.
    init(id: ConnectionID, connectedAt: MonotonicTime) {
        self.id = id
        self.connectedAt = connectedAt
        lastReceived = connectedAt
    }
}

/// A session on which routes flow.
struct Established: Sendable, Equatable {
    /// What was agreed.
    let negotiated: Negotiated
    /// When the session came up.
    let establishedAt: MonotonicTime
    /// When the last message came.
    var lastReceived: MonotonicTime
    /// A further connection, watched until its OPEN tells whether the peer restarted. It is always in OpenSent.
    var candidate: Handshake?

    /// The connection that carries the session.
    var id: ConnectionID { negotiated.connection }
}
