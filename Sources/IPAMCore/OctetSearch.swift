extension [UInt8] {
    /// Whether the octets hold these others, one after the other.
    ///
    /// - Complexity: O(n / m) where the others, m, are as good as random, as container ids are (R. N. Horspool, "Practical
    ///   fast searching in strings", 1980).
    package func holds(_ other: [UInt8]) -> Bool {
        guard let last = other.last else { return true }
        // How far to go on by the octet that stands at the end of the place looked at.
        var steps = [Int](repeating: other.count, count: 256)
        for (index, octet) in other.dropLast().enumerated() { steps[Int(octet)] = other.count - 1 - index }
        var end = other.count - 1
        while end < count {
            if self[end] == last, self[(end + 1 - other.count)...end].elementsEqual(other) { return true }
            end += steps[Int(self[end])]
        }
        return false
    }
}
