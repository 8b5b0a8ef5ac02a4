import NetTypes
import Synchronization

/// Which peer is at which address, for whoever must know without waiting for the speaker. The speaker alone writes it.
final class PeerDirectory: Sendable {
    private let peers = Mutex<[IPAddress: Peer]>([:])

    /// The peer at this address.
    func peer(at address: IPAddress) -> Peer? { peers.withLock { $0[address] } }

    /// Enters a peer.
    func insert(_ peer: Peer) { peers.withLock { $0[peer.address] = peer } }

    /// Takes a peer out, unless another has its address by now.
    func remove(_ peer: Peer) {
        peers.withLock { peers in
            if peers[peer.address] === peer { peers[peer.address] = nil }
        }
    }
}
