import NetTypes

/// The ways that routes were learned with, numbered, so that a prefix holds a number in place of a next hop and a tunnel.
struct LearnedWays: Sendable {
    /// The number of a way; 0 stands for none.
    typealias Number = UInt32

    /// By number; nil for one that is nobody's. The first is never anybody's.
    private var ways: [TunnelCheck.Route?] = [nil]
    /// How many prefixes have each.
    private var uses = [0]
    private var numbers: [TunnelCheck.Route: Number] = [:]
    private var free: [Number] = []
    /// The next hops of ways that have got a number since they were asked for.
    private var newNextHops: [IPAddress] = []

    /// The way of a number; nil for 0.
    subscript(number: Number) -> TunnelCheck.Route? { ways[Int(number)] }

    /// The next hops of the ways that prefixes have.
    var nextHops: Set<IPAddress> { Set(numbers.keys.lazy.map(\.nextHop)) }

    /// The next hops that may be new since the last call.
    mutating func takeNewNextHops() -> [IPAddress] {
        defer { newNextHops.removeAll(keepingCapacity: true) }
        return newNextHops
    }

    /// Whether any prefix has the way.
    func isUsed(_ number: Number) -> Bool { uses[Int(number)] > 0 }

    /// The number of a way, a new one where no prefix has it.
    mutating func number(of way: TunnelCheck.Route) -> Number {
        if let number = numbers[way] { return number }
        let number: Number
        if let former = free.popLast() {
            number = former
            ways[Int(number)] = way
        } else {
            number = Number(ways.count)
            ways.append(way)
            uses.append(0)
        }
        numbers[way] = number
        newNextHops.append(way.nextHop)
        return number
    }

    /// Takes down that a prefix has one way in place of another. What no prefix has any more loses its number.
    mutating func replace(_ former: Number, with new: Number) {
        guard former != new else { return }
        if new != 0 { uses[Int(new)] += 1 }
        guard former != 0 else { return }
        uses[Int(former)] -= 1
        guard uses[Int(former)] == 0, let way = ways[Int(former)] else { return }
        numbers[way] = nil
        ways[Int(former)] = nil
        free.append(former)
    }
}
