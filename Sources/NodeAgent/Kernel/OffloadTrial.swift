import NetTypes

/// Finds out with one other node whether packets arrive whose inner checksum is left to the network card.
///
/// Some cards, and the switches of some hypervisors, compute the checksum of the outer header alone: what was wrapped by
/// a tunnel with its checksum unfinished is dropped on the way, and nothing but ping works. A connection is tried
/// through the tunnel, to a port that is closed there: the refusal proves that the SYN came through, and the kernel that
/// refuses computes the checksum of its answer itself, whatever its own card does.
///
/// Silence alone proves nothing: the node may be down, or a firewall may be in the way. Only when the same is answered
/// without the offload, twice, and not with it in between, it is the offload that loses packets.
struct OffloadTrial: Sendable, Equatable {
    /// What came of one connection.
    enum Outcome: Sendable, Equatable {
        /// It was refused or accepted.
        case answered
        /// Nobody answered in time.
        case silent
        /// It could not be tried, or a router on the way has answered.
        case impossible
    }

    /// What the trial has shown.
    enum Verdict: Sendable, Equatable {
        case sound
        case broken
        /// Nothing.
        case undecided
    }

    /// How many connections in a row are not answered before the offload is turned off.
    private static let patience = 3
    /// How many may be lost without the offload.
    private static let patienceWithout = 2
    /// How often it must be shown that the same is answered without the offload.
    private static let confirmations = 2

    /// The own address inside the tunnel.
    let local: IPAddress
    /// The other node's.
    let peer: IPAddress
    /// What the offload is to be for the next connection.
    private(set) var isOffloadOn = true
    private var silences = 0
    private var confirmed = 0

    /// Begins with the offload on.
    init(from local: IPAddress, with peer: IPAddress) {
        self.local = local
        self.peer = peer
    }

    /// Takes what came of a connection.
    ///
    /// - Returns: the verdict; nil when another connection is to be tried, with the offload as `isOffloadOn` says.
    mutating func take(_ outcome: Outcome) -> Verdict? {
        switch (isOffloadOn, outcome) {
        case (_, .impossible): return .undecided
        case (true, .answered): return .sound
        case (true, .silent):
            silences += 1
            guard confirmed > 0 || silences >= Self.patience else { return nil }
            change(to: false)
            return nil
        case (false, .answered):
            confirmed += 1
            guard confirmed < Self.confirmations else { return .broken }
            change(to: true)
            return nil
        case (false, .silent):
            silences += 1
            return silences < Self.patienceWithout ? nil : .undecided
        }
    }

    private mutating func change(to isOn: Bool) {
        isOffloadOn = isOn
        silences = 0
    }
}
