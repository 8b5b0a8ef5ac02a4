import BGPWire
import NetTypes
import Testing

/// SplitMix64: numbers that are the same in every run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

@Suite("Hostile bytes")
struct HostileBytesTests {
    private static let contexts = [
        ibgp, ebgp, twoOctet, WireContext(fourOctetAS: true, maximumMessageLength: 65535, isIBGP: false),
        WireContext(
            isIBGP: true, pathIDsIn: [.ipv4, .ipv6], pathIDsOut: [.ipv4, .ipv6], ipv6NextHopsForIPv4: true),
    ]

    private static func corpus() throws -> [[UInt8]] {
        try ["bird", "gobgp", "exabgp"].flatMap { try Captures.read($0).sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Decodes; what comes out must survive its own encoding.
    private static func check(_ frame: [UInt8], _ context: WireContext) throws -> Bool {
        let message: BGPMessage
        do {
            message = try BGPMessage.decode(frame, context: context)
        } catch {
            #expect((1...7).contains(error.notification.code))
            return false
        }
        guard case .update(let read) = message else {
            let again = message.encode(context)
            #expect(try BGPMessage.decode(again, context: context) == message, "\(frame)")
            return true
        }
        var decoder = MessageDecoder()
        let bytes = message.encode(context)
        _ = decoder.push(bytes)
        var parts: [UpdateMessage] = []
        while case .update(let part)? = try decoder.nextMessage(context) { parts.append(part) }
        #expect(decoder.bufferedCount == 0)
        #expect(parts.flatMap(\.malformed).isEmpty, "\(frame)")
        #expect(parts.flatMap(\.reachable).flatMap(\.prefixes) == read.reachable.flatMap(\.prefixes), "\(frame)")
        #expect(parts.flatMap(\.unreachable).flatMap(\.prefixes) == read.unreachable.flatMap(\.prefixes), "\(frame)")
        var attributes = read.attributes
        if !context.isIBGP { attributes.extendedCommunities.removeAll { !$0.isTransitive } }
        for part in parts where !part.reachable.isEmpty { #expect(part.attributes == attributes, "\(frame)") }
        return true
    }

    /// Writes the true length into the header, so that what lies behind it is read.
    private static func repairLength(_ frame: inout [UInt8]) {
        guard frame.count >= 19 else { return }
        frame[16] = UInt8(truncatingIfNeeded: frame.count >> 8)
        frame[17] = UInt8(truncatingIfNeeded: frame.count)
    }

    @Test("A frame cut at any byte is an error or a message, never a trap")
    func truncation() throws {
        for frame in try Self.corpus() {
            for count in 0..<frame.count {
                for context in Self.contexts {
                    #expect(!(try Self.check(Array(frame[..<count]), context)))
                    var repaired = Array(frame[..<count])
                    Self.repairLength(&repaired)
                    _ = try Self.check(repaired, context)
                }
            }
        }
    }

    @Test("Every byte may lie: each takes the values that lengths lie with")
    func lies() throws {
        for frame in try Self.corpus() {
            for index in 18..<frame.count {
                for value: UInt8 in [0, 1, 2, frame[index] &+ 1, frame[index] &- 1, 0x7f, 0x80, 0xfe, 0xff] {
                    var lying = frame
                    lying[index] = value
                    _ = try Self.check(lying, Self.contexts[(index + Int(value)) % Self.contexts.count])
                }
            }
        }
    }

    @Test(
        "200000 mutated frames are errors or messages that survive their own encoding",
        arguments: [UInt64(1), 2, 3, 4])
    func mutation(_ seed: UInt64) throws {
        let corpus = try Self.corpus()
        var random = Seeded(state: seed)
        var accepted = 0
        for _ in 0..<50_000 {
            guard var frame = corpus.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                guard frame.count > 19 else { break }
                let index = Int.random(in: 18..<frame.count, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: frame[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: frame[index] = .random(in: 0...255, using: &random)
                case 2: frame.remove(at: index)
                case 3: frame.insert(.random(in: 0...255, using: &random), at: index)
                case 4:
                    let end = min(index + Int.random(in: 1...20, using: &random), frame.count)
                    frame.insert(contentsOf: frame[index..<end], at: index)
                default: frame.removeSubrange(index...)
                }
            }
            Self.repairLength(&frame)
            let context = Self.contexts[Int.random(in: 0..<Self.contexts.count, using: &random)]
            if try Self.check(frame, context) { accepted += 1 }
        }
        // Both outcomes must be common, or the mutations try nothing.
        #expect((5000...45_000).contains(accepted))
    }

    @Test("Noise is an error or a message", arguments: [UInt8(1), 2, 3, 4, 5])
    func noise(_ type: UInt8) throws {
        var random = Seeded(state: UInt64(type))
        for _ in 0..<4000 {
            let count = Int.random(in: 0...120, using: &random)
            var frame = [UInt8](repeating: 0xff, count: 16) + [0, 0, type]
            for _ in 0..<count { frame.append(.random(in: 0...255, using: &random)) }
            Self.repairLength(&frame)
            _ = try Self.check(frame, Self.contexts[count % Self.contexts.count])
        }
    }
}
