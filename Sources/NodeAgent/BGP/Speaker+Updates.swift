import BGPTable
import BGPWire
import LinuxOS
import NetTypes

// Routes from the queue into the table.
extension Speaker {
    /// Applies the UPDATEs of one read, as many as there is time for and one at least: where one takes long, the sockets
    /// have their turn before the next. Returns those that are left.
    func apply(
        _ updates: ArraySlice<UpdateMessage>, octets: Int, from peer: Peer, until end: MonotonicTime,
    ) -> ArraySlice<UpdateMessage> {
        var place = updates.startIndex
        while place < updates.endIndex {
            report(rib?.apply(updates[place], from: peer.id), of: peer)
            place += 1
            if BootClock.now() >= end { break }
        }
        let rest = updates[place...]
        peer.assumeIsolated { $0.updatesTaken(updates.count - rest.count, octets: rest.isEmpty ? octets : 0) }
        return rest
    }
}
