/// Where things are that have a dense id: a hash table of their ids, open addressing with linear probing.
///
/// A slot holds 32 bits of the thing's hash and its id, so a search reads a thing only when all 32 bits agree, and
/// growing reads none. It costs 8 octets a slot at a load of three quarters at most; Swift's dictionary of prefixes
/// costs four times that, and its hash alone takes longer than this whole search.
@frozen @usableFromInline
package struct HashIndex: Sendable {
    @usableFromInline static let leastCapacity = 16

    /// The hash above, the id plus one below; 0 is a free slot.
    @usableFromInline var slots: [UInt64] = []
    @usableFromInline var held = 0

    /// Makes an empty index.
    @inlinable package init() {}

    /// How many ids the table holds.
    @inlinable package var count: Int { held }

    @inlinable var mask: Int { slots.count - 1 }

    /// The id of the thing with this hash for which `isMatch` holds; nil when there is none.
    ///
    /// - Complexity: O(1) expected
    @inlinable @inline(__always)
    package func find(_ hash: UInt32, _ isMatch: (UInt32) -> Bool) -> UInt32? {
        guard !slots.isEmpty else { return nil }
        var place = Int(hash) & mask
        while slots[place] != 0 {
            let slot = slots[place]
            if UInt32(truncatingIfNeeded: slot >> 32) == hash {
                let id = UInt32(truncatingIfNeeded: slot) &- 1
                if isMatch(id) { return id }
            }
            place = (place &+ 1) & mask
        }
        return nil
    }

    /// Adds the id of a thing that is not there.
    @inlinable package mutating func insert(_ id: UInt32, hash: UInt32) {
        if (held + 1) * 4 > slots.count * 3 { grow() }
        place(UInt64(hash) << 32 | UInt64(id &+ 1))
        held += 1
    }

    /// Takes an id out; the slots behind it move up, so that no search ends early.
    @inlinable package mutating func remove(_ id: UInt32, hash: UInt32) {
        guard !slots.isEmpty else { return }
        let wanted = UInt64(hash) << 32 | UInt64(id &+ 1)
        var hole = Int(hash) & mask
        while slots[hole] != wanted {
            if slots[hole] == 0 { return }
            hole = (hole &+ 1) & mask
        }
        var next = (hole &+ 1) & mask
        while slots[next] != 0 {
            let home = Int(slots[next] >> 32) & mask
            // What lies between its home and here may move into the hole if the hole is not before its home.
            if (next &- home) & mask >= (next &- hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        slots[hole] = 0
        held -= 1
    }

    @inlinable mutating func grow() {
        let old = slots
        let capacity = max(Self.leastCapacity, old.count * 2)
        // `Array(repeating:count:)` asks the runtime for the type of its storage, each time.
        slots = []
        slots.reserveCapacity(capacity)
        for _ in 0..<capacity { slots.append(0) }
        for slot in old where slot != 0 { place(slot) }
    }

    @inlinable @inline(__always)
    mutating func place(_ slot: UInt64) {
        var place = Int(slot >> 32) & mask
        while slots[place] != 0 { place = (place &+ 1) & mask }
        slots[place] = slot
    }
}
