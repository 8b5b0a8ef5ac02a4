import BGPTable
import BGPWire
import NetTypes

/// What a peer's shell tells the speaker, in the order in which it happened.
struct PeerEvent: Sendable {
    enum Kind: Sendable {
        /// A session is up; `epoch` tells it from the peer's earlier ones. Nobody waits for the End-of-RIB of a peer
        /// that has just restarted itself (RFC 4724 §4.1).
        case established(PeerRole, epoch: UInt64, isRestarting: Bool)
        /// Routes came, one read's worth or what is left of it, and how many octets of the wire that read was.
        case updates(ArraySlice<UpdateMessage>, octets: Int)
        /// The peer asks for everything again (RFC 2918).
        case refreshRequested(AddressFamily)
        /// The peer begins to send a family again, and marks the end (RFC 7313); whether it owes an End-of-RIB before that.
        case refreshBegun(AddressFamily, awaitsEndOfRIB: Bool)
        /// The peer has sent the family again.
        case refreshEnded(AddressFamily)
        /// The session is gone; the routes of these families stay as stale ones (RFC 4724 §4.2).
        case lost(kept: Set<AddressFamily>)
        /// What is still stale of these families goes.
        case staleRoutesExpired(Set<AddressFamily>)
        /// What is still stale of these families stays, as the last choice (RFC 9494).
        case staleRoutesKeptLong(Set<AddressFamily>)
    }

    let peer: PeerID
    /// Which of the shells that the peer has had: the events of one that was replaced are of no interest any more.
    let incarnation: UInt64
    let kind: Kind

    /// The same of another kind.
    func with(_ kind: Kind) -> PeerEvent { PeerEvent(peer: peer, incarnation: incarnation, kind: kind) }
}
