/// Entries of one of the kernel's tables as a pure value: desired, actual, and the keys where the two differ.
///
/// Every entry is of a tunnel device, and a tunnel device is Apus' own: what is found there and not desired is left over
/// and goes, but only when `TunnelTable` knows that no route needs it.
package struct EntryTable<Key: Hashable & Sendable & Comparable, Value: Hashable & Sendable>: Sendable {
    /// What the daemon wants.
    package private(set) var desired: [Key: Value] = [:]
    /// What the kernel holds.
    package private(set) var actual: [Key: Value] = [:]
    /// The keys to look at.
    private var differing: Set<Key> = []
    /// The keys that the kernel refused; they wait for a retry.
    private var refused: Set<Key> = []
    /// How many wish for each key.
    private var wishes: [Key: Int] = [:]

    /// A table that knows nothing yet.
    package init() {}

    /// Whether nothing differs but what was refused.
    package var isSettled: Bool { differing.isSubset(of: refused) }

    /// Wants an entry, once more. Of two values for one key the last counts.
    mutating func want(_ value: Value, at key: Key) {
        wishes[key, default: 0] += 1
        desired[key] = value
        reconsider(key)
    }

    /// Wants it once less.
    mutating func release(_ key: Key) {
        guard let count = wishes[key] else { return }
        wishes[key] = count > 1 ? count - 1 : nil
        if count <= 1 { desired[key] = nil }
        reconsider(key)
    }

    /// Takes a dump of the whole table.
    mutating func adopt(_ found: [Key: Value]) {
        let keys = Set(actual.keys).union(found.keys)
        actual = found
        refused = []
        for key in keys { reconsider(key) }
    }

    /// Takes an event, or what became of an operation.
    mutating func observe(_ value: Value?, at key: Key) {
        actual[key] = value
        reconsider(key)
    }

    /// The kernel has refused what was to be done about a key.
    mutating func refuse(_ key: Key) { refused.insert(key) }

    /// Makes what was refused pending again.
    mutating func retry() { refused = [] }

    /// What is to be added or changed.
    var additions: [(key: Key, value: Value)] {
        differing.subtracting(refused).sorted().compactMap { key in desired[key].map { (key, $0) } }
    }

    /// What is there and not wanted.
    var leftovers: [(key: Key, value: Value)] {
        differing.subtracting(refused).sorted().compactMap { key in
            desired[key] == nil ? actual[key].map { (key, $0) } : nil
        }
    }

    private mutating func reconsider(_ key: Key) {
        if desired[key] == actual[key] {
            differing.remove(key)
            refused.remove(key)
        } else {
            differing.insert(key)
        }
    }
}
