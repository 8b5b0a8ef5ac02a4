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
    /// Whether the prefix waits to be told to the forwarding side.
    var isForwardingPending = false
}

/// The prefixes of one family with their dense ids. An id is given again after its prefix is gone.
struct PrefixTable: Sendable {
    private var prefixes: [IPPrefix] = []
    private var ids: [IPPrefix: UInt32] = [:]
    private var free: [UInt32] = []
    private var rows: [PrefixRow] = []

    /// How many prefixes there are.
    var count: Int { ids.count }

    /// The first id that was never given.
    var endID: UInt32 { UInt32(rows.count) }

    /// The row of an id.
    subscript(id: UInt32) -> PrefixRow {
        get { rows[Int(id)] }
        _modify { yield &rows[Int(id)] }
    }

    /// The prefix of an id that is in use.
    func prefix(of id: UInt32) -> IPPrefix { prefixes[Int(id)] }

    /// The id of a prefix; nil when it has none.
    func id(of prefix: IPPrefix) -> UInt32? { ids[prefix] }

    /// The id of a prefix, a new one if need be.
    mutating func insert(_ prefix: IPPrefix) -> UInt32 {
        if let id = ids[prefix] { return id }
        let id: UInt32
        if let reused = free.popLast() {
            id = reused
            prefixes[Int(id)] = prefix
            rows[Int(id)] = PrefixRow()
        } else {
            id = UInt32(prefixes.count)
            prefixes.append(prefix)
            rows.append(PrefixRow())
        }
        ids[prefix] = id
        return id
    }

    /// Gives an id back.
    mutating func remove(_ id: UInt32) {
        ids[prefix(of: id)] = nil
        rows[Int(id)] = PrefixRow()
        free.append(id)
    }

    /// The ids in use, in the order of their prefixes.
    ///
    /// - Complexity: O(n log n)
    var sortedIDs: [UInt32] { ids.sorted { $0.key < $1.key }.map(\.value) }
}
