import BGPTable
import BGPWire
import LinuxOS
import Logging
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

    private func report(_ summary: ImportSummary?, of peer: Peer) {
        guard let summary else { return }
        if summary.endOfRIB != nil { isReceptionNew = true }
        if let family = summary.endOfRIB {
            if let leftOut = endOfRIBPace.line(about: peer.id, at: BootClock.now()) {
                logger.info(
                    "End-of-RIB received",
                    metadata: [
                        "peer": "\(peer.address)", "family": "\(family.rawValue)", "swept": "\(summary.swept)",
                    ].with(leftOut: leftOut))
            }
        }
        if let received = summary.receivedOfMaximum { judge(received, of: peer) }
        if summary.excess > 0 { warnOfPaths(of: peer) }
        if !summary.conflicts.isEmpty || !reportedConflicts.isEmpty { reportConflicts() }
    }
}

// What cannot be announced.
extension Speaker {
    /// What the log says of routes that could not be announced: a neighbour can send such ones again and again.
    func linesAboutFailures(of delivery: OutgoingDelivery, at now: MonotonicTime) -> [Logger.Metadata] {
        delivery.encoded.failures.compactMap { failure in
            guard let leftOut = failurePace.line(about: delivery.recipients.first?.peer, at: now) else { return nil }
            let audience = delivery.recipients.compactMap { peers[$0.peer]?.address }
            var line: Logger.Metadata = ["reason": "\(failure.reason)", "routes": "\(failure.prefixes.count)"]
            if let first = failure.prefixes.first { line["prefix"] = "\(first)" }
            if let first = audience.min() { line["peer"] = "\(first)" }
            if audience.count > 1 { line["otherPeers"] = "\(audience.count - 1)" }
            return line.with(leftOut: leftOut)
        }
    }
}
