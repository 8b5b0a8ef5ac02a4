/// A place in bytes from the wire. Every read is checked against the end and gives nil beyond it; none traps.
struct ByteCursor: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// Stands at the first of `bytes`.
    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The number of bytes that are left.
    var remaining: Int { bytes.endIndex - position }

    /// Whether no byte is left.
    var isAtEnd: Bool { position == bytes.endIndex }

    /// The bytes that are left, without moving.
    var rest: ArraySlice<UInt8> { bytes[position...] }

    /// The next byte, without moving.
    var peek: UInt8? { isAtEnd ? nil : bytes[position] }

    /// The next byte.
    mutating func readUInt8() -> UInt8? {
        guard position < bytes.endIndex else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// The next two bytes as a number in network byte order.
    mutating func readUInt16() -> UInt16? { readInteger() }

    /// The next four bytes as a number in network byte order.
    mutating func readUInt32() -> UInt32? { readInteger() }

    /// The next eight bytes as a number in network byte order.
    mutating func readUInt64() -> UInt64? { readInteger() }

    /// The next `count` bytes; nil, and no move, when there are fewer.
    mutating func readBytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= remaining else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// A cursor over the next `count` bytes; nil, and no move, when there are fewer.
    mutating func readCursor(_ count: Int) -> ByteCursor? {
        readBytes(count).map(ByteCursor.init)
    }

    private mutating func readInteger<Integer: FixedWidthInteger & UnsignedInteger>() -> Integer? {
        let count = Integer.bitWidth / 8
        guard remaining >= count else { return nil }
        var value: Integer = 0
        for index in position..<position + count { value = value << 8 | Integer(bytes[index]) }
        position += count
        return value
    }
}

extension [UInt8] {
    /// Appends a number in network byte order.
    mutating func append<Integer: FixedWidthInteger & UnsignedInteger>(bigEndian value: Integer) {
        for shift in stride(from: Integer.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> Integer(shift)))
        }
    }
}
