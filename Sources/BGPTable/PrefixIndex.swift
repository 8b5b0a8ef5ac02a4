/// Where prefixes are: a hash table of their ids, open addressing with linear probing.
///
/// A slot holds 32 bits of the prefix's hash and its id, so a search reads a prefix only when all 32 bits agree, and
/// growing reads none. It costs 8 octets a slot at a load of three quarters at most; Swift's dictionary of the same
/// costs four times that and its hash alone takes longer than this whole search.
struct PrefixIndex: Sendable {
    private static let empty: UInt64 = 0
    private static let leastCapacity = 16

    /// The hash above, the id plus one below; 0 is a free slot.
    private var slots: [UInt64] = []
    /// How many ids the table holds.
    private(set) var count = 0

    private var mask: Int { slots.count - 1 }

    /// The id of the prefix with this hash for which `isMatch` holds; nil when there is none.
    ///
    /// - Complexity: O(1) expected
    @inline(__always)
    func find(_ hash: UInt32, _ isMatch: (UInt32) -> Bool) -> UInt32? {
        guard !slots.isEmpty else { return nil }
        var place = Int(hash) & mask
        while slots[place] != Self.empty {
            let slot = slots[place]
            if UInt32(truncatingIfNeeded: slot >> 32) == hash {
                let id = UInt32(truncatingIfNeeded: slot) &- 1
                if isMatch(id) { return id }
            }
            place = (place &+ 1) & mask
        }
        return nil
    }

    /// Adds the id of a prefix that is not there.
    mutating func insert(_ id: UInt32, hash: UInt32) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        place(UInt64(hash) << 32 | UInt64(id &+ 1))
        count += 1
    }

    /// Takes an id out; the slots behind it move up, so that no search ends early.
    mutating func remove(_ id: UInt32, hash: UInt32) {
        guard !slots.isEmpty else { return }
        let wanted = UInt64(hash) << 32 | UInt64(id &+ 1)
        var hole = Int(hash) & mask
        while slots[hole] != wanted {
            if slots[hole] == Self.empty { return }
            hole = (hole &+ 1) & mask
        }
        var next = (hole &+ 1) & mask
        while slots[next] != Self.empty {
            let home = Int(slots[next] >> 32) & mask
            // What lies between its home and here may move into the hole if the hole is not before its home.
            if (next &- home) & mask >= (next &- hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        slots[hole] = Self.empty
        count -= 1
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: Self.empty, count: max(Self.leastCapacity, old.count * 2))
        for slot in old where slot != Self.empty { place(slot) }
    }

    @inline(__always)
    private mutating func place(_ slot: UInt64) {
        var place = Int(slot >> 32) & mask
        while slots[place] != Self.empty { place = (place &+ 1) & mask }
        slots[place] = slot
    }
}
