import LinuxOS
import NetTypes

/// Which BGP next hops no route leads to, of all that the table has routes by. Pure: it says which are to be looked up,
/// and is told what was found.
///
/// A next hop counts as unreachable when nothing has covered it for `patience`; before that, and before it was looked up,
/// it does not. So nothing changes at a start, or when a link or an address is gone for a moment.
struct NextHopReach: Sendable {
    /// How long a next hop is uncovered before it is unreachable.
    static let patience: Duration = .seconds(10)
    /// How many are looked up at once.
    static let limit = 1024

    private var watched: Set<IPAddress> = []
    /// Those to be looked up, in their order; some may not be watched any more.
    private var due: [IPAddress] = []
    private var isDue: Set<IPAddress> = []
    /// Those that nothing covers, and since when.
    private var uncovered: [IPAddress: MonotonicTime] = [:]

    /// Takes all next hops that there are; new ones are to be looked up.
    mutating func watch(_ nextHops: Set<IPAddress>) {
        for new in nextHops.subtracting(watched).sorted() { doubt(new) }
        watched = nextHops
        uncovered = uncovered.filter { nextHops.contains($0.key) }
    }

    /// All are to be looked up.
    mutating func doubtAll() {
        for nextHop in watched where !isDue.contains(nextHop) { doubt(nextHop) }
    }

    /// Those within a network are, whose route has gone.
    mutating func doubt(within destination: IPPrefix) {
        for nextHop in watched where destination.contains(nextHop) { doubt(nextHop) }
    }

    private mutating func doubt(_ nextHop: IPAddress) {
        if isDue.insert(nextHop).inserted { due.append(nextHop) }
    }

    /// Those to be looked up next. What nothing covers is looked up every time: an address or a rule may come without
    /// a word.
    mutating func takeDue() -> [IPAddress] {
        let taken = due.prefix(Self.limit)
        due.removeFirst(taken.count)
        isDue.subtract(taken)
        return taken.filter { watched.contains($0) }
    }

    /// What was found; nil when it could not be found out, and it is to be tried again.
    mutating func found(isCovered: Bool?, _ nextHop: IPAddress, at now: MonotonicTime) {
        switch isCovered {
        case true?: uncovered[nextHop] = nil
        case false?:
            if uncovered[nextHop] == nil { uncovered[nextHop] = now }
            doubt(nextHop)
        case nil: doubt(nextHop)
        }
    }

    /// Those that cannot be reached.
    func unreachable(at now: MonotonicTime) -> Set<IPAddress> {
        Set(uncovered.lazy.filter { now - $0.value >= Self.patience }.map(\.key))
    }
}
