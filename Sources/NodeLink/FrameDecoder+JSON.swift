import JSONKit
package import NetTypes

extension FrameDecoder {
    /// The next frame's JSON; nil when more bytes are needed.
    /// - Throws: `malformed`; close the connection.
    package mutating func nextMessage() throws(NodeLinkError) -> JSONValue? {
        guard let payload = try next() else { return nil }
        do throws(JSONError) {
            return try JSONText.parse(payload)
        } catch {
            throw .malformed("no JSON: \(error)")
        }
    }

    /// The frame of a JSON document.
    /// - Throws: `malformed` for one above the limit.
    package static func encode(_ json: JSONValue) throws(NodeLinkError) -> [UInt8] {
        try encode(Array(JSONText.serialize(json).utf8))
    }
}
