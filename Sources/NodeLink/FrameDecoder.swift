/// Cuts a stream of bytes into frames: four octets of length, the most significant first, then so many octets.
///
/// Pure and incremental: the CNI client and the daemon's server both feed it what they receive, in pieces of any size.
package struct FrameDecoder: Sendable {
    /// The largest frame's payload: 1 MiB. A longer one is refused as soon as its length has been read.
    package static let maximumPayload = 1 << 20

    private var buffer: [UInt8] = []
    private var start = 0

    /// A decoder at the start of a stream.
    package init() {}

    /// Whether bytes of an unfinished frame are waiting.
    package var isInsideFrame: Bool { start < buffer.count }

    /// Takes bytes in. Call `next()` until it answers nil.
    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The payload of the next whole frame; nil when more bytes are needed.
    /// - Throws: `malformed` for a length above the limit. The stream is of no use after that: close it.
    package mutating func next() throws(NodeLinkError) -> [UInt8]? {
        let waiting = buffer[start...]
        guard waiting.count >= 4 else { return nil }
        let length = Int(waiting.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        guard length <= Self.maximumPayload else {
            throw .malformed("a frame of \(length) bytes; at most \(Self.maximumPayload) are allowed")
        }
        guard waiting.count - 4 >= length else { return nil }
        let payload = Array(waiting.dropFirst(4).prefix(length))
        start += 4 + length
        return payload
    }

    /// The frame around a payload.
    /// - Throws: `malformed` for one above the limit.
    package static func encode(_ payload: [UInt8]) throws(NodeLinkError) -> [UInt8] {
        guard payload.count <= maximumPayload else {
            throw .malformed("a message of \(payload.count) bytes; at most \(maximumPayload) are allowed")
        }
        let length = UInt32(payload.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) } + payload
    }
}
