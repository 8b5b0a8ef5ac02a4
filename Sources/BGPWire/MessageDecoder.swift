/// Cuts the byte stream of a session into frames. Bytes go in as they come; frames come out whole, their header checked.
package struct MessageDecoder: Sendable {
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var attributes = AttributeReader()

    /// Makes an empty decoder that never holds more than `bufferLimit` bytes, or one longest message if that is more.
    package init(bufferLimit: Int = 256 * 1024) {
        limit = max(bufferLimit, WireContext.extendedMaximum)
    }

    /// The number of bytes that have come and are not yet part of a frame taken.
    package var bufferedCount: Int { buffer.count - start }

    /// Takes bytes from the connection, as many as the limit allows, and returns how many it took. It takes all of
    /// them when the frames are drained after every push and a push is not longer than the limit less one message.
    package mutating func push(_ bytes: Span<UInt8>) -> Int {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        let count = min(bytes.count, limit - buffer.count)
        buffer.append(addingCapacity: count) { output in
            for index in 0..<count { output.append(bytes[index]) }
        }
        return count
    }

    /// Takes bytes that lie in a collection.
    package mutating func push(_ bytes: some Collection<UInt8>) -> Int { push(Array(bytes).span) }

    /// Takes the next whole frame off, header included; nil when more bytes are needed. A frame that is still held
    /// when bytes are pushed makes the push copy the buffer.
    ///
    /// - Throws: `BGPError` as soon as the header is wrong; the stream is then beyond repair.
    package mutating func nextFrame(maximumMessageLength: Int) throws(BGPError) -> ArraySlice<UInt8>? {
        let rest = buffer[start...]
        guard let header = try MessageHeader.parse(rest, maximumMessageLength: maximumMessageLength),
            rest.count >= header.length
        else { return nil }
        let end = start + header.length
        start = end
        return rest[..<end]
    }

    /// Takes the next whole message off; nil when more bytes are needed.
    ///
    /// - Throws: `BGPError` when the session must end.
    package mutating func nextMessage(_ context: WireContext) throws(BGPError) -> BGPMessage? {
        guard let frame = try nextFrame(maximumMessageLength: context.maximumMessageLength) else { return nil }
        return try BGPMessage.decode(frame, context: context, &attributes)
    }
}
