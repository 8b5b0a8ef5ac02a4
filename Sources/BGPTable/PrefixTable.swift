import NetTypes

/// What the Loc-RIB knows of one prefix: integers only.
struct PrefixRow: Sendable {
    /// The first of the routes to the prefix in the Adj-RIB-In.
    var firstRoute: UInt32 = AdjRIBIn.none
    /// The route that won, and its attributes at the time.
    var best: UInt32 = AdjRIBIn.none
    var bestHandle: AttributeHandle = .none
    /// What the forwarding side was told last; the row holds a reference.
    var installed: AttributeHandle = .none
    /// The number of the prefix's live entry in the change log; 0 when it has none.
    var logSequence: UInt64 = 0
    /// Whether what was told last is a route of this node.
    var isInstalledLocal = false
    /// Whether what was told last has several ways.
    var hasSeveralWays = false
    /// Whether the prefix waits to be told to the forwarding side.
    var isForwardingPending = false
}

/// The prefixes of one family with their dense ids. An id is given again after its prefix is gone.
struct PrefixTable: Sendable {
    private static let wideMark: UInt64 = 1 << 63

    /// An IPv4 prefix as one number, or the mark and the place of an IPv6 prefix in `wide`.
    private var keys: [UInt64] = []
    private var wide: [IPPrefix] = []
    private var freeWide: [Int] = []
    private var index = HashIndex()
    private var free: [UInt32] = []
    private var rows: [PrefixRow] = []

    /// How many prefixes there are.
    var count: Int { index.count }

    /// The first id that was never given.
    var endID: UInt32 { UInt32(rows.count) }

    /// The row of an id.
    subscript(id: UInt32) -> PrefixRow {
        get { rows[Int(id)] }
        _modify { yield &rows[Int(id)] }
    }

    /// The prefix of an id that is in use.
    func prefix(of id: UInt32) -> IPPrefix {
        let key = keys[Int(id)]
        if key & Self.wideMark != 0 { return wide[Int(key & ~Self.wideMark)] }
        return IPPrefix(
            stored: IPv4Address(rawValue: UInt32(truncatingIfNeeded: key >> 8)), length: UInt8(truncatingIfNeeded: key))
    }

    /// The id of a prefix; nil when it has none.
    func id(of prefix: IPPrefix) -> UInt32? { find(prefix, hash: prefix.spread) }

    /// The id of a prefix, a new one if need be.
    mutating func insert(_ prefix: IPPrefix) -> UInt32 {
        let hash = prefix.spread
        if let id = find(prefix, hash: hash) { return id }
        let key = newKey(of: prefix)
        let id: UInt32
        if let reused = free.popLast() {
            id = reused
            keys[Int(id)] = key
            rows[Int(id)] = PrefixRow()
        } else {
            id = UInt32(keys.count)
            keys.append(key)
            rows.append(PrefixRow())
        }
        index.insert(id, hash: hash)
        return id
    }

    /// Gives an id back.
    mutating func remove(_ id: UInt32) {
        index.remove(id, hash: prefix(of: id).spread)
        let key = keys[Int(id)]
        if key & Self.wideMark != 0 { freeWide.append(Int(key & ~Self.wideMark)) }
        rows[Int(id)] = PrefixRow()
        free.append(id)
    }

    /// The ids in use, in the order of their prefixes; of all of them, or of those within `range`.
    ///
    /// - Complexity: O(n log n)
    func sortedIDs(within range: IPPrefix? = nil) -> [UInt32] {
        let unused = Set(free)
        let used = (0..<endID).lazy.filter { !unused.contains($0) }.map { (prefix: prefix(of: $0), id: $0) }
            .filter { range?.contains($0.prefix) ?? true }
        return used.sorted { $0.prefix < $1.prefix }.map(\.id)
    }

    @inline(__always)
    private func find(_ prefix: IPPrefix, hash: UInt32) -> UInt32? {
        switch prefix.address {
        case .v4(let address):
            let key = Self.key(address, prefix.length)
            return index.find(hash) { keys[Int($0)] == key }
        case .v6:
            return index.find(hash) { id in
                let key = keys[Int(id)]
                return key & Self.wideMark != 0 && wide[Int(key & ~Self.wideMark)] == prefix
            }
        }
    }

    private mutating func newKey(of prefix: IPPrefix) -> UInt64 {
        if case .v4(let address) = prefix.address { return Self.key(address, prefix.length) }
        if let place = freeWide.popLast() {
            wide[place] = prefix
            return Self.wideMark | UInt64(place)
        }
        wide.append(prefix)
        return Self.wideMark | UInt64(wide.count - 1)
    }

    @inline(__always)
    private static func key(_ address: IPv4Address, _ length: UInt8) -> UInt64 {
        UInt64(address.rawValue) << 8 | UInt64(length)
    }
}
