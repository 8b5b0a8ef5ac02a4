package import NetTypes

/// What the daemon knows of the checksum offload of one of its tunnel devices.
package struct TunnelStatus: Sendable, Hashable {
    /// What was found out, and how.
    package enum Finding: String, Sendable, Hashable {
        /// Nothing yet: no node behind the tunnel has answered.
        case unknown
        /// A packet that relies on the offload has arrived at `peer`.
        case sound
        /// Packets that rely on it do not arrive at `peer`; others do.
        case broken
        /// It was off before the daemon looked, or somebody else has turned it off.
        case foundOff
        /// The operator has said what it is to be.
        case decided
    }

    /// The device's name.
    package var device: String
    /// Whether the checksums of what it sends are left to the network card.
    package var isOffloadOn: Bool
    package var finding: Finding
    /// The other node's address inside the tunnel, with which it was found out; empty for none.
    package var peer: String

    /// Makes the state.
    package init(device: String, isOffloadOn: Bool, finding: Finding, peer: String = "") {
        self.device = device
        self.isOffloadOn = isOffloadOn
        self.finding = finding
        self.peer = peer
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        device = try reader.string("device")
        isOffloadOn = try reader.bool("offload")
        // A daemon of a later version may have found out more.
        finding = Finding(rawValue: try reader.string("finding")) ?? .unknown
        peer = try reader.string("peer")
    }

    /// The state as JSON.
    package var json: JSONValue {
        [
            "device": .string(device), "offload": .bool(isOffloadOn), "finding": .string(finding.rawValue),
            "peer": .string(peer),
        ]
    }
}
