package import NetTypes

/// A block's record as the text of its file, changed in place.
///
/// An ADD or DEL moves one ordinal of up to 4096. Reading them all as values, checking them and writing them again costs
/// some hundred times as much as the change, and under the store's lock. This type makes the same change to the text.
/// It knows exactly the form that `Block.json` has when written without blanks, with `allocated` in order; of anything
/// else it says so with nil, and a `Block` is to be read, which checks everything and names what is wrong.
package struct BlockText: Sendable {
    /// The text, as the file holds it.
    package private(set) var octets: [UInt8]
    private let cidr: IPPrefix
    /// What stands between the brackets of `free`: ordinals with commas between them.
    private var free: Range<Int>
    /// What stands between the braces of `allocated`: `"5":{…}` with commas between them.
    private var allocated: Range<Int>

    /// Finds the two parts.
    /// - Returns: nil when the text is not in the form that Apus writes, or is of another block or boot.
    package init?(_ octets: consuming [UInt8], cidr: IPPrefix, bootID: String) {
        let head = Array("{\"v\":1,\"cidr\":\"\(cidr)\",\"bootID\":\"\(bootID)\",\"free\":[".utf8)
        let middle = Array("],\"allocated\":{".utf8)
        guard octets.starts(with: head) else { return nil }
        var end = head.count
        while end < octets.count, Self.isListed(octets[end]) { end += 1 }
        let start = end + middle.count
        guard let stop = Self.endOfAllocated(octets), start <= stop, octets[end..<start].elementsEqual(middle) else {
            return nil
        }
        guard start == stop || (Self.isEntry(octets, at: start) && octets[stop - 1] == Self.closingBrace) else {
            return nil
        }
        self.octets = octets
        self.cidr = cidr
        free = head.count..<end
        allocated = start..<stop
    }

    /// Gives `key` the address that has been free longest, as `Block.allocate(for:sparing:)`.
    /// - Returns: nil, and nothing is changed, when none is free or the text is not what it should be.
    package mutating func allocate(
        for key: AttachmentKey, sparing withheld: WithheldAddresses = WithheldAddresses(),
    ) -> IPAddress? {
        guard let (ordinal, address, taken) = firstFree(sparing: withheld), let value = Self.value(key),
            case .missing(let place) = find(ordinal)
        else { return nil }
        var entry = Array("\"\(ordinal)\":".utf8) + value
        if place == allocated.upperBound {
            if !allocated.isEmpty { entry.insert(Self.comma, at: 0) }
        } else {
            entry.append(Self.comma)
        }
        replace(taken, with: [], then: place..<place, with: entry)
        free = free.lowerBound..<free.upperBound - taken.count
        allocated = allocated.lowerBound - taken.count..<allocated.upperBound - taken.count + entry.count
        return address
    }

    /// The gateway that `Block.reserveGateway` answers, if the text shows that it is kept already; if not, a `Block` may
    /// still keep it.
    package var reservedGateway: IPAddress? {
        guard let ordinal = Block.gatewayOrdinal(of: cidr), octets.count > allocated.upperBound + 1 else { return nil }
        // Behind what is allocated stands `}` and, if there is any, `,"reserved":[…]`.
        let kept = octets[(allocated.upperBound + 1)...].drop { !Self.isDigit($0) }.prefix(while: Self.isListed)
        guard kept.split(separator: Self.comma).contains(where: { Self.number($0) == ordinal }) else { return nil }
        return cidr.address(at: UInt64(ordinal))
    }

    /// Whether the text shows that the address is the key's; if not, a `Block` may still tell whose it is.
    package func isAllocated(_ address: IPAddress, to key: AttachmentKey) -> Bool {
        entry(of: address, for: key) != nil
    }

    /// Takes back an address of `key`, as `Block.release` does.
    /// - Returns: false, and nothing is changed, when the text does not show that the address is the key's.
    package mutating func release(_ address: IPAddress, of key: AttachmentKey) -> Bool {
        guard let (ordinal, entry) = entry(of: address, for: key) else { return false }
        // One of the commas beside it goes with the entry.
        var gone = entry
        if entry.upperBound < allocated.upperBound {
            gone = entry.lowerBound..<entry.upperBound + 1
        } else if entry.lowerBound > allocated.lowerBound {
            gone = entry.lowerBound - 1..<entry.upperBound
        }
        let added = Array((free.isEmpty ? "\(ordinal)" : ",\(ordinal)").utf8)
        replace(free.upperBound..<free.upperBound, with: added, then: gone, with: [])
        free = free.lowerBound..<free.upperBound + added.count
        allocated = allocated.lowerBound + added.count..<allocated.upperBound + added.count - gone.count
        return true
    }

    private mutating func replace(
        _ first: Range<Int>, with one: [UInt8], then second: Range<Int>, with other: [UInt8],
    ) {
        octets.replaceSubrange(second, with: other)
        octets.replaceSubrange(first, with: one)
    }
}

extension BlockText {
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let closingBrace = UInt8(ascii: "}")

    /// The first free ordinal that is not kept from pods, its address, and what of the text goes with it: a comma, too,
    /// where others stay.
    private func firstFree(
        sparing withheld: WithheldAddresses,
    ) -> (ordinal: UInt32, address: IPAddress, text: Range<Int>)? {
        var start = free.lowerBound
        while start < free.upperBound {
            var end = start
            while end < free.upperBound, octets[end] != Self.comma { end += 1 }
            guard let ordinal = Self.number(octets[start..<end]), ordinal >= Block.firstOrdinal(of: cidr),
                let address = cidr.address(at: UInt64(ordinal))
            else { return nil }
            if !withheld.keeps(address) {
                let isLast = end == free.upperBound
                return (ordinal, address, isLast ? max(start - 1, free.lowerBound)..<end : start..<end + 1)
            }
            start = end + 1
        }
        return nil
    }

    /// Where an ordinal is among those allocated, or where it would be.
    private enum Place {
        case found(Range<Int>)
        case missing(Int)
    }

    /// - Complexity: O(log n) entries are looked at.
    private func find(_ ordinal: UInt32) -> Place? {
        var (low, high, place) = (allocated.lowerBound, allocated.upperBound, allocated.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            guard let start = entry(from: middle, below: high) else {
                high = middle
                continue
            }
            guard let (number, end) = name(at: start) else { return nil }
            if number == ordinal {
                guard let stop = endOfEntry(from: end) else { return nil }
                return .found(start..<stop)
            }
            if number < ordinal {
                low = start + 1
            } else {
                (high, place) = (middle, start)
            }
        }
        return .missing(place)
    }

    /// The entry of an address, if it is the key's.
    private func entry(of address: IPAddress, for key: AttachmentKey) -> (ordinal: UInt32, place: Range<Int>)? {
        guard let ordinal = cidr.ordinal(of: address).flatMap({ UInt32(exactly: $0) }), let value = Self.value(key),
            case .found(let place) = find(ordinal), octets[place].elementsEqual(Array("\"\(ordinal)\":".utf8) + value)
        else { return nil }
        return (ordinal, place)
    }

    /// The first entry that begins in the range.
    ///
    /// No string can hold `},"` and a digit: its quotation mark would be its end, and what follows an end here is a
    /// comma, a colon or a brace.
    private func entry(from start: Int, below end: Int) -> Int? {
        for place in start..<end where Self.isEntry(octets, at: place) {
            if place == allocated.lowerBound { return place }
            if octets[place - 1] == Self.comma, octets[place - 2] == Self.closingBrace { return place }
        }
        return nil
    }

    private func endOfEntry(from start: Int) -> Int? {
        guard let next = entry(from: start, below: allocated.upperBound) else { return allocated.upperBound }
        return next - 1
    }

    /// The ordinal of the entry, and where its value begins.
    private func name(at start: Int) -> (UInt32, Int)? {
        var end = start + 1
        while end < allocated.upperBound, octets[end] != Self.quote { end += 1 }
        guard let number = Self.number(octets[start + 1..<end]) else { return nil }
        return (number, end + 1)
    }

    private static func isEntry(_ octets: [UInt8], at place: Int) -> Bool {
        octets[place] == quote && place + 1 < octets.count && isDigit(octets[place + 1])
    }

    private static func isDigit(_ octet: UInt8) -> Bool { octet >= UInt8(ascii: "0") && octet <= UInt8(ascii: "9") }
    private static func isListed(_ octet: UInt8) -> Bool { isDigit(octet) || octet == comma }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard !digits.isEmpty, digits.count <= 5, digits.allSatisfy(isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + UInt32($1 - UInt8(ascii: "0")) }
    }

    /// The end of what is allocated: the text ends with `}}`, or with the brace, `reserved` and a brace.
    private static func endOfAllocated(_ octets: [UInt8]) -> Int? {
        var end = octets.count
        guard end > 0, octets[end - 1] == UInt8(ascii: "\n") else { return nil }
        end -= 1
        guard end > 1, octets[end - 1] == closingBrace else { return nil }
        end -= 1
        if octets[end - 1] == closingBrace { return end - 1 }
        guard octets[end - 1] == UInt8(ascii: "]") else { return nil }
        end -= 1
        while end > 0, isListed(octets[end - 1]) { end -= 1 }
        let between = Array("},\"reserved\":[".utf8)
        guard end >= between.count, octets[end - between.count..<end].elementsEqual(between) else { return nil }
        return end - between.count
    }

    /// The key as it stands behind its ordinal; nil when a part would have to be escaped.
    private static func value(_ key: AttachmentKey) -> [UInt8]? {
        for part in [key.network, key.containerID, key.ifName] {
            let isPlain = part.utf8.allSatisfy { 0x20..<0x7f ~= $0 && $0 != quote && $0 != UInt8(ascii: "\\") }
            guard isPlain else { return nil }
        }
        let text =
            "{\"network\":\"\(key.network)\",\"containerID\":\"\(key.containerID)\",\"ifName\":\"\(key.ifName)\"}"
        return Array(text.utf8)
    }
}
