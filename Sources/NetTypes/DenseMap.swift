/// A dictionary for tables of a hundred thousand prefixes: keys and values lie densely in two arrays, found by a
/// `HashIndex`. To walk over it is to walk over an array, and to grow is to move each entry once. The order of the
/// entries has no meaning, and a removal changes it.
@frozen @usableFromInline
package struct DenseMap<Key: SpreadKey, Value: Sendable>: Sendable {
    @usableFromInline var heldKeys: [Key] = []
    @usableFromInline var heldValues: [Value] = []
    @usableFromInline var index = HashIndex()

    /// Makes an empty map.
    @inlinable package init() {}

    /// The keys.
    @inlinable package var keys: [Key] { heldKeys }

    /// The values, each at the place of its key.
    @inlinable package var values: [Value] { heldValues }

    /// How many entries there are.
    @inlinable package var count: Int { heldKeys.count }

    /// Whether there is no entry.
    @inlinable package var isEmpty: Bool { heldKeys.isEmpty }

    /// The value of a key; nil when it has none. Set to nil it removes the entry.
    ///
    /// - Complexity: O(1) expected
    @inlinable package subscript(key: Key) -> Value? {
        get { place(of: key).map { heldValues[$0] } }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            if let place = place(of: key) { heldValues[place] = newValue } else { append(newValue, at: key) }
        }
    }

    /// The value of a key, to be read or changed in place; one that is missing is added when it is changed.
    @inlinable package subscript(key: Key, default missing: @autoclosure () -> Value) -> Value {
        get { place(of: key).map { heldValues[$0] } ?? missing() }
        _modify {
            let place = place(of: key) ?? append(missing(), at: key)
            yield &heldValues[place]
        }
    }

    /// Changes the value of a key in place, with one search, and returns what `body` does; nil where it has none.
    @inlinable @inline(__always)
    package mutating func change<Result>(_ key: Key, _ body: (inout Value) -> Result) -> Result? {
        guard let place = place(of: key) else { return nil }
        return body(&heldValues[place])
    }

    /// Removes an entry and returns its value; nil when there was none.
    @discardableResult
    @inlinable package mutating func removeValue(forKey key: Key) -> Value? {
        guard let place = place(of: key) else { return nil }
        index.remove(UInt32(place), hash: key.spread)
        // The last entry takes the place.
        let last = heldKeys.count - 1
        if place < last {
            let hash = heldKeys[last].spread
            index.remove(UInt32(last), hash: hash)
            index.insert(UInt32(place), hash: hash)
            heldKeys.swapAt(place, last)
            heldValues.swapAt(place, last)
        }
        heldKeys.removeLast()
        return heldValues.removeLast()
    }

    @inlinable @inline(__always)
    func place(of key: Key) -> Int? {
        index.find(key.spread) { heldKeys[Int($0)] == key }.map { Int($0) }
    }

    @discardableResult
    @inlinable mutating func append(_ value: Value, at key: Key) -> Int {
        index.insert(UInt32(heldKeys.count), hash: key.spread)
        heldKeys.append(key)
        heldValues.append(value)
        return heldKeys.count - 1
    }
}
