import LinuxOS
import NetTypes
import Resources
import Synchronization

/// The TCP-MD5 keys that one listening socket has. The listener alone changes it; whoever admits a connection asks it:
/// where a key is wanted and not set, the kernel lets an unsigned connection pass.
///
/// Each key costs memory of its socket's options, of which net.core.optmem_max is the limit.
final class ListeningKeys: Sendable {
    private let family: AddressFamily
    private let installed = Mutex<[IPAddress: Secret]>([:])

    /// The keys of a socket of that family, which has none yet.
    init(family: AddressFamily) {
        self.family = family
    }

    /// The key that is set for a peer.
    func key(for peer: IPAddress) -> Secret? { installed.withLock { $0[peer] } }

    /// How many are set.
    var count: Int { installed.withLock { $0.count } }

    /// Sets what differs, in the order of the addresses: removals first, which make room. One that cannot be set or
    /// removed stays as it was, and does not keep the others from being changed.
    ///
    /// - Parameter set: sets a key of the socket; no octets remove it.
    /// - Returns: the peers whose key is not as wanted, and why the first is not.
    func change(
        to wanted: [IPAddress: Secret], set: (_ key: [UInt8], _ peer: IPAddress) throws(SystemError) -> Void,
    ) -> (peers: Set<IPAddress>, error: SystemError?) {
        let former = installed.withLock { $0 }
        let wanted = wanted.filter { $0.key.family == family }
        let removed = former.keys.filter { wanted[$0] == nil }.sorted()
        let changed = wanted.keys.filter { former[$0] != wanted[$0] }.sorted()
        var failed: Set<IPAddress> = []
        var first: SystemError?
        for peer in removed + changed {
            do throws(SystemError) {
                try set(wanted[peer]?.bytes ?? [], peer)
                installed.withLock { $0[peer] = wanted[peer] }
            } catch {
                failed.insert(peer)
                first = first ?? error
            }
        }
        return (failed, first)
    }
}
