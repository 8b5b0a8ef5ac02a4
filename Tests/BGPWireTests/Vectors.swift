import BGPWire
import Foundation
import NetTypes
import Testing

/// Bytes of hexadecimal digits; spaces between them are for the reader.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
        let start = digits.index(digits.startIndex, offsetBy: offset)
        return UInt8(digits[start...].prefix(2), radix: 16)
    }
}

/// A frame of a body in hexadecimal digits.
func frame(_ type: UInt8, _ body: String) -> [UInt8] {
    let body = hex(body)
    let length = body.count + 19
    return [UInt8](repeating: 0xff, count: 16) + [UInt8(length >> 8), UInt8(length & 0xff), type] + body
}

/// An UPDATE of its three fields in hexadecimal digits.
func update(withdrawn: String = "", attributes: String, nlri: String = "") -> [UInt8] {
    func length(_ field: String) -> String {
        let digits = String(hex(field).count, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
    return frame(2, length(withdrawn) + withdrawn + length(attributes) + attributes + nlri)
}

/// The frames that other implementations have sent: `testdata/bgp/SPEAKER.hex`.
enum Captures {
    /// The frames of a file by their names.
    static func read(_ speaker: String) throws -> [String: [UInt8]] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../testdata/bgp/\(speaker).hex").standardizedFileURL
        var frames: [String: [UInt8]] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            try #require(parts.count == 2)
            frames[String(parts[0])] = hex(String(parts[1]))
        }
        return frames
    }

    /// One frame.
    static func frame(_ name: String, of speaker: String) throws -> [UInt8] {
        try #require(try read(speaker)[name], "no frame \(name) in \(speaker).hex")
    }
}

/// A session of four-octet speakers in one AS, of those in two, and one with a two-octet speaker of another AS.
let ibgp = WireContext(isIBGP: true)
let ebgp = WireContext(isIBGP: false)
let twoOctet = WireContext(fourOctetAS: false, isIBGP: false)

extension IPPrefix {
    /// A prefix of a literal.
    static func of(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
}

extension NextHop {
    /// A next hop of literals.
    static func of(_ text: String, linkLocal: String? = nil) throws -> NextHop {
        NextHop(try #require(IPAddress(text)), linkLocal: try linkLocal.map { try #require(IPv6Address($0)) })
    }
}

extension UpdateMessage.Reach {
    /// An announcement of literals.
    static func of(_ prefixes: [String], via nextHop: String) throws -> UpdateMessage.Reach {
        let nextHop = try NextHop.of(nextHop)
        return UpdateMessage.Reach(
            family: AFISAFI(nextHop.address.family), nextHop: nextHop, prefixes: try prefixes.map(IPPrefix.of))
    }
}

extension UpdateMessage.Unreach {
    /// A withdrawal of literals, one at least.
    static func of(_ prefixes: [String]) throws -> UpdateMessage.Unreach {
        let prefixes = try prefixes.map(IPPrefix.of)
        return UpdateMessage.Unreach(family: AFISAFI(try #require(prefixes.first).family), prefixes: prefixes)
    }
}

extension ASPath {
    /// A sequence of numbers.
    init(_ numbers: UInt32...) { self.init(sequence: numbers.map(ASNumber.init)) }
}

/// The UPDATE in a frame.
func decodeUpdate(_ frame: [UInt8], _ context: WireContext) throws -> UpdateMessage {
    guard case .update(let message) = try BGPMessage.decode(frame, context: context) else {
        throw BGPError(0, 0, "not an UPDATE")
    }
    return message
}

/// The error that a frame ends the session with.
func sessionError(_ frame: [UInt8], _ context: WireContext) throws -> BGPError {
    try #require(throws: BGPError.self) { _ = try BGPMessage.decode(frame, context: context) }
}
