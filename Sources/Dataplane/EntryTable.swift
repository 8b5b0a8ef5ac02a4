import Netlink

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
    /// What the kernel refused, and how; it waits for a retry or another wish.
    private var refused: [Key: NetlinkError] = [:]
    /// How many wish for each key.
    private var wishes: [Key: Int] = [:]

    /// A table that knows nothing yet.
    package init() {}

    /// Whether nothing differs but what was refused.
    package var isSettled: Bool { differing.allSatisfy { refused[$0] != nil } }

    /// Wants an entry, once more. Of two values for one key the last counts. What was refused is tried anew.
    mutating func want(_ value: Value, at key: Key) {
        wishes[key, default: 0] += 1
        desired[key] = value
        forgetRefusal(of: key)
        reconsider(key)
    }

    /// Wants it once less.
    mutating func release(_ key: Key) {
        guard let count = wishes[key] else { return }
        wishes[key] = count > 1 ? count - 1 : nil
        if count <= 1 {
            desired[key] = nil
            // What was refused was to set it, not to delete it.
            forgetRefusal(of: key)
        }
        reconsider(key)
    }

    /// Takes a dump of the whole table.
    mutating func adopt(_ found: [Key: Value]) {
        let keys = Set(actual.keys).union(found.keys)
        actual = found
        refused = [:]
        for key in keys { reconsider(key) }
    }

    /// Takes an event, or what became of an operation.
    mutating func observe(_ value: Value?, at key: Key) {
        actual[key] = value
        reconsider(key)
    }

    /// The kernel has refused what was to be done about a key.
    mutating func refuse(_ key: Key, _ error: NetlinkError) { refused[key] = error }

    /// Whether something that is wanted was refused.
    var isRefused: Bool { refused.contains { desired[$0.key] != nil } }

    /// How the kernel refused an entry that is wanted; nil when it did not.
    func refusal(of key: Key) -> NetlinkError? { desired[key] == nil ? nil : refused[key] }

    /// Makes what was refused pending again.
    mutating func retry() { refused = [:] }

    /// What is to be added or changed.
    var additions: [(key: Key, value: Value)] {
        toBeDone.sorted().compactMap { key in desired[key].map { (key, $0) } }
    }

    /// What is there and not wanted.
    var leftovers: [(key: Key, value: Value)] {
        toBeDone.sorted().compactMap { key in
            desired[key] == nil ? actual[key].map { (key, $0) } : nil
        }
    }

    private var toBeDone: Set<Key> { refused.isEmpty ? differing : differing.filter { refused[$0] == nil } }

    // Refusals are rare, and a search of an empty table computes a hash all the same.
    private mutating func forgetRefusal(of key: Key) {
        if !refused.isEmpty { refused[key] = nil }
    }

    private mutating func reconsider(_ key: Key) {
        if desired[key] == actual[key] {
            differing.remove(key)
            forgetRefusal(of: key)
        } else {
            differing.insert(key)
        }
    }
}
