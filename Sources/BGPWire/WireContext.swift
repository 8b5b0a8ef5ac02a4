/// What a session has agreed on, as far as the bytes of its messages depend on it.
@frozen
package struct WireContext: Sendable, Hashable {
    /// Whether both sides sent the four-octet AS capability (RFC 6793): AS numbers in UPDATEs are four octets wide.
    package var fourOctetAS: Bool
    /// The longest message allowed, header included: 4096, or 65535 after RFC 8654. OPEN and KEEPALIVE stay at 4096.
    package var maximumMessageLength: Int
    /// Whether the peer is in the own AS: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are spoken there alone.
    package var isIBGP: Bool

    /// The longest message without the extended-message capability (RFC 4271 §4.1).
    package static let standardMaximum = 4096
    /// The longest message with the extended-message capability on both sides (RFC 8654 §3).
    package static let extendedMaximum = 65535

    /// Makes a context; before the OPENs are exchanged the default of the first two values holds.
    @inlinable package init(fourOctetAS: Bool = true, maximumMessageLength: Int = 4096, isIBGP: Bool) {
        self.fourOctetAS = fourOctetAS
        self.maximumMessageLength = maximumMessageLength
        self.isIBGP = isIBGP
    }
}
