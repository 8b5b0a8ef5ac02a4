package import NetTypes

/// BGP peers whose TCP-MD5 keys cannot be set: each is refused until its key is there.
package struct KeyShortage: Sendable, Hashable {
    /// How many there are.
    package var peers: Int
    /// The first of them, by address.
    package var first: String
    /// Why their keys cannot be set.
    package var reason: String
    /// What net.core.optmem_max is, where it is the reason; nil where it is not, or cannot be read.
    package var limitBytes: Int?
    /// What net.core.optmem_max would have to be; nil where nobody can tell.
    package var neededBytes: Int?

    /// Makes a shortage.
    package init(peers: Int, first: String, reason: String, limitBytes: Int? = nil, neededBytes: Int? = nil) {
        self.peers = peers
        self.first = first
        self.reason = reason
        self.limitBytes = limitBytes
        self.neededBytes = neededBytes
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        peers = try reader.integer("peers")
        first = try reader.string("first")
        reason = try reader.string("reason")
        limitBytes = try reader.optionalInteger("limitBytes")
        neededBytes = try reader.optionalInteger("neededBytes")
    }

    /// The shortage as JSON.
    package var json: JSONValue {
        [
            "peers": .int(Int64(peers)), "first": .string(first), "reason": .string(reason),
            "limitBytes": limitBytes.map { .int(Int64($0)) } ?? .null,
            "neededBytes": neededBytes.map { .int(Int64($0)) } ?? .null,
        ]
    }
}
