import NetTypes
import NodeLink
import Testing

@Suite struct FrameTests {
    private let payloads: [[UInt8]] = [[], [1], Array("{\"id\":1}".utf8), Array(repeating: 7, count: 70_000)]

    @Test("Frames come out whole whatever the pieces", arguments: [1, 2, 3, 5, 4096, 1 << 20])
    func pieces(size: Int) throws {
        let stream = try payloads.flatMap { try FrameDecoder.encode($0) }
        var decoder = FrameDecoder()
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            decoder.append(stream[start..<min(start + size, stream.count)])
            while let payload = try decoder.next() { found.append(payload) }
        }
        #expect(found == payloads)
        #expect(!decoder.isInsideFrame)
    }

    @Test("A frame cut off anywhere is no frame and no error")
    func truncated() throws {
        let frame = try FrameDecoder.encode(Array("hello".utf8))
        for count in 0..<frame.count {
            var decoder = FrameDecoder()
            decoder.append(frame.prefix(count))
            #expect(try decoder.next() == nil)
            #expect(decoder.isInsideFrame == (count > 0))
        }
    }

    @Test(
        "A length above 1 MiB is refused before its bytes come",
        arguments: [[0, 16, 0, 1], [255, 255, 255, 255], [128, 0, 0, 0]] as [[UInt8]])
    func tooLong(header: [UInt8]) throws {
        var decoder = FrameDecoder()
        decoder.append(header)
        #expect(throws: NodeLinkError.self) { try decoder.next() }
        #expect(throws: NodeLinkError.self) { try FrameDecoder.encode(Array(repeating: 0, count: 1 << 20 | 1)) }
    }

    @Test("A frame that is no JSON is an error", arguments: ["", "{", "nul", "{} {}", "\u{1}"])
    func noJSON(text: String) throws {
        var decoder = FrameDecoder()
        decoder.append(try FrameDecoder.encode(Array(text.utf8)))
        #expect(throws: NodeLinkError.self) { try decoder.nextMessage() }
    }
}
