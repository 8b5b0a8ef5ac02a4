package import IPAMCore
package import NetTypes

/// Whether somebody who has an address lives, as far as records and links tell. No call may be at work on the key.
package enum HolderLife: Sendable, Hashable {
    /// The kernel shows it: the reason.
    case alive(String)
    /// Its link, if it has one, is not Apus' to know: the reason.
    case unknown(String)
    /// Whatever it had of Apus is gone.
    case gone

    /// Judges.
    ///
    /// - Parameters:
    ///   - key: whose address it is.
    ///   - address: the address.
    ///   - isOthers: whether its block gives the address to others by now: then a route to it says nothing of the key.
    ///   - record: the key's record; nil when there is none.
    package init(
        of key: AttachmentKey, with address: IPAddress, isOthers: Bool = false, record: Attachment?,
        ends: ObservedEnds,
    ) {
        if !isOthers, let end = ends.all.first(where: { $0.addresses.contains(address.hostPrefix) }) {
            self = .alive("a route over the link \(end.name) leads to it")
            return
        }
        guard let record else {
            let end = ends.end(markedBy: key)
            self = end.map { .alive("its link \($0.name) is there") } ?? .unknown("there is no record of it")
            return
        }
        // The key has other addresses, and this one is of nobody's link.
        guard record.addresses.contains(address.hostPrefix) else {
            self = .gone
            return
        }
        if let end = ends.end(of: record) ?? ends.end(markedBy: key) {
            self = .alive("its link \(end.name) is there")
        } else if record.hostLink.isEmpty {
            self = .unknown("its link is another plugin's")
        } else {
            self = .gone
        }
    }
}
