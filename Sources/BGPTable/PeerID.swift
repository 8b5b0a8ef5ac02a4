/// The caller's number for a peer. It stays the same over the peer's sessions; the table never reads meaning into it.
@frozen
package struct PeerID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number.
    package let rawValue: UInt32

    /// Makes the number.
    @inlinable package init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// `peer 7`.
    package var description: String { "peer \(rawValue)" }

    @inlinable package static func < (left: PeerID, right: PeerID) -> Bool { left.rawValue < right.rawValue }
}
