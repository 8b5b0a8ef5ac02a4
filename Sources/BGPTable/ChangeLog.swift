/// The order in which prefixes of one family changed, for readers that come when they can.
///
/// A prefix has one live entry, its latest; whoever owns the prefixes knows which that is by the sequence number it
/// remembers. The earlier ones are dead, skipped by readers, and squeezed out when they outnumber the living. So the
/// log is no longer than the table, however slow a reader is, and a reader sees each prefix once, in its latest state.
struct ChangeLog: Sendable {
    /// Set in an entry's id where the best route is as before, and another one to the prefix is not.
    private static let otherPathMark: UInt32 = 1 << 31

    private var sequences: [UInt64] = []
    private var ids: [UInt32] = []
    /// Where the log begins in the two arrays; what lies before is trimmed away.
    private var head = 0
    /// The number the next entry gets. 0 is never given: it means "not in the log".
    private(set) var nextSequence: UInt64 = 1

    /// How many entries there are, dead ones included.
    var count: Int { ids.count - head }

    /// The places of the entries.
    var indices: Range<Int> { head..<ids.count }

    /// The number of the first entry, or of the next one when there is none.
    var firstSequence: UInt64 { head < sequences.count ? sequences[head] : nextSequence }

    /// The entry at a place among `indices`.
    subscript(index: Int) -> (sequence: UInt64, id: UInt32) {
        (sequences[index], ids[index] & ~Self.otherPathMark)
    }

    /// Whether the entry at a place concerns only those who are told of several paths.
    func isOfOtherPaths(_ index: Int) -> Bool { ids[index] & Self.otherPathMark != 0 }

    /// Whether an entry that is in the log, by its number, concerns only those who are told of several paths.
    ///
    /// - Complexity: O(log n)
    func isOfOtherPaths(sequence: UInt64) -> Bool {
        let place = index(from: sequence)
        return place < ids.count && sequences[place] == sequence && isOfOtherPaths(place)
    }

    /// Adds an entry and returns its number.
    mutating func append(_ id: UInt32, isOfOtherPaths: Bool = false) -> UInt64 {
        let sequence = nextSequence
        sequences.append(sequence)
        ids.append(isOfOtherPaths ? id | Self.otherPathMark : id)
        nextSequence += 1
        return sequence
    }

    /// The first place whose number is `sequence` or higher.
    ///
    /// - Complexity: O(log n)
    func index(from sequence: UInt64) -> Int {
        var (low, high) = (head, sequences.count)
        while low < high {
            let middle = (low + high) / 2
            if sequences[middle] < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Takes the first entry off if its number is below `sequence`.
    mutating func popFirst(below sequence: UInt64) -> (sequence: UInt64, id: UInt32)? {
        guard head < ids.count, sequences[head] < sequence else { return nil }
        let entry = self[head]
        head += 1
        if head == ids.count || (head > 1024 && head > ids.count / 2) {
            sequences.removeSubrange(..<head)
            ids.removeSubrange(..<head)
            head = 0
        }
        return entry
    }

    /// Keeps only the entries that `isLive`.
    mutating func compact(keeping isLive: (UInt64, UInt32) -> Bool) {
        var end = 0
        for index in indices where isLive(sequences[index], self[index].id) {
            (sequences[end], ids[end]) = (sequences[index], ids[index])
            end += 1
        }
        sequences.removeSubrange(end...)
        ids.removeSubrange(end...)
        head = 0
    }
}
