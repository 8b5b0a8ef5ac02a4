/// A set of dense ids, one bit each. Reading beyond its end is false.
struct Bitmap: Sendable, Hashable {
    private var words: [UInt64] = []
    /// How many ids the set holds.
    private(set) var count = 0

    /// Whether the set holds `id`.
    func contains(_ id: UInt32) -> Bool {
        let word = Int(id >> 6)
        return word < words.count && words[word] & bit(of: id) != 0
    }

    /// Adds `id`; false when it was there.
    @discardableResult
    mutating func insert(_ id: UInt32) -> Bool {
        let word = Int(id >> 6)
        if word >= words.count {
            words.append(contentsOf: repeatElement(0, count: max(word + 1, words.count * 2) - words.count))
        }
        guard words[word] & bit(of: id) == 0 else { return false }
        words[word] |= bit(of: id)
        count += 1
        return true
    }

    /// Takes `id` out; false when it was not there.
    @discardableResult
    mutating func remove(_ id: UInt32) -> Bool {
        guard contains(id) else { return false }
        words[Int(id >> 6)] &= ~bit(of: id)
        count -= 1
        return true
    }

    private func bit(of id: UInt32) -> UInt64 { 1 << UInt64(id & 63) }
}
