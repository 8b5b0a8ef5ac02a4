package import NetTypes

/// What a BGPPeer says of the session itself, beside who speaks with whom. A change of any of it means a new session,
/// BFD apart.
package struct SessionOptions: Sendable, Hashable {
    /// The TCP-MD5 key (RFC 2385); nil for none.
    package var password: SecretReference?
    /// `ttlSecurity`: how many hops away the peer is at most, 1 for a neighbour (RFC 5082); nil turns GTSM off.
    package var ttlSecurityHops: UInt8?
    /// `sourceAddress`: whether the session comes from the node's own address, or from whatever the kernel picks.
    package var usesNodeAddress = true
    /// `passive`: whether the peer alone connects.
    package var isPassive = false
    /// `holdTime`: the Hold Time to offer, in seconds; nil: 90.
    package var holdTimeSeconds: UInt16?
    /// `localASNumber`: the AS that this node shows to the peer instead of its own; nil for its own.
    package var localASNumber: ASNumber?
    /// `sendHoldTime`: how long the peer may take nothing of what is sent (RFC 9687); nil: eight minutes or twice the
    /// Hold Time; zero: for ever.
    package var sendHoldTime: Duration?
    /// `delayOpenTime`: how long to wait for the peer's OPEN before sending the own one.
    package var delayOpenTime: Duration = .zero
    /// `idleHoldTime`: the longest time for which a session that fails again and again stays in Idle; zero: none.
    package var idleHoldTime: Duration = .seconds(60)
    /// `addPath`: which way several paths to a prefix may go (RFC 7911).
    package var addPath = AddPath.both
    /// `extendedNextHop`: whether IPv4 routes may have IPv6 next hops (RFC 8950); nil: on sessions over IPv6.
    package var hasExtendedNextHop: Bool?
    /// `longLivedStaleTime`: how long beyond the restart time the peer is asked to keep this node's routes, and whether
    /// its own are kept as it asks (RFC 9494); nil: between a route reflector and its clients alone.
    package var longLivedStaleTime: Duration?
    /// `bfd`: failure detection beside the session (RFC 5880); nil for none.
    package var bfd: BFDOptions?

    /// The defaults.
    package init() {}

    /// Everything but BFD, which comes and goes while the session stays.
    package var identity: SessionOptions {
        var identity = self
        identity.bfd = nil
        return identity
    }
}

/// Which way several paths to a prefix may go.
package enum AddPath: String, Sendable, Hashable, CaseIterable {
    case both = "Both"
    case receive = "Receive"
    case send = "Send"
    case off = "Off"

    /// Whether several are asked for.
    package var receives: Bool { self == .both || self == .receive }
    /// Whether several are offered.
    package var sends: Bool { self == .both || self == .send }
}

/// How BFD watches a peer (`bfd`).
package struct BFDOptions: Sendable, Hashable {
    /// The shortest interval between packets that this node accepts.
    package var minimumReceiveInterval: Duration = .milliseconds(300)
    /// The interval at which this node wants to send.
    package var minimumTransmitInterval: Duration = .milliseconds(300)
    /// How many intervals may pass in silence.
    package var multiplier: UInt8 = 3
    /// Whether the peer may be more than one hop away (RFC 5883).
    package var isMultihop = false

    /// The defaults: 3 × 300 ms on one hop.
    package init() {}
}

extension SessionOptions {
    /// Reads the fields from a BGPPeer's `spec`.
    init(_ reader: inout FieldReader) {
        password = SecretReference.read("password", &reader)
        ttlSecurityHops = reader.optional("ttlSecurity", as: FieldValue.integer(in: UInt8(1)...254))
        let source = reader.optional("sourceAddress", as: FieldValue.word(SourceAddress.self)) ?? .nodeAddress
        usesNodeAddress = source == .nodeAddress
        isPassive = reader.optional("passive", as: FieldValue.bool) ?? false
        holdTimeSeconds = reader.optional("holdTime", as: FieldValue.holdTime)
        localASNumber = reader.optional("localASNumber", as: FieldValue.asNumber)
        sendHoldTime = reader.optional("sendHoldTime", as: FieldValue.pause)
        delayOpenTime = reader.optional("delayOpenTime", as: FieldValue.wait) ?? delayOpenTime
        idleHoldTime = reader.optional("idleHoldTime", as: FieldValue.pause) ?? idleHoldTime
        addPath = reader.optional("addPath", as: FieldValue.word(AddPath.self)) ?? .both
        hasExtendedNextHop = reader.optional("extendedNextHop", as: FieldValue.bool)
        longLivedStaleTime = reader.optional("longLivedStaleTime", as: FieldValue.longLivedStaleTime)
        bfd = BFDOptions.read("bfd", &reader)
    }

    private enum SourceAddress: String, CaseIterable {
        case nodeAddress = "UseNodeIP"
        case none = "None"
    }
}

extension BFDOptions {
    /// Reads `bfd: {minRx: 100ms, minTx: 100ms, multiplier: 3, multihop: false}`; nil when it is absent.
    static func read(_ key: String, _ reader: inout FieldReader) -> BFDOptions? {
        reader.mapping(key) { fields in
            var options = BFDOptions()
            if let interval = fields.optional("minRx", as: FieldValue.bfdInterval) {
                options.minimumReceiveInterval = interval
            }
            if let interval = fields.optional("minTx", as: FieldValue.bfdInterval) {
                options.minimumTransmitInterval = interval
            }
            options.multiplier = fields.optional("multiplier", as: FieldValue.integer(in: UInt8(1)...255)) ?? 3
            options.isMultihop = fields.optional("multihop", as: FieldValue.bool) ?? false
            return options
        }
    }
}

extension FieldValue {
    /// Zero, or at least three seconds (RFC 4271 §4.2).
    static func holdTime(_ node: DocumentNode) throws(FieldError) -> UInt16 {
        if node.text == "0s" || node.text == "0" { return 0 }
        guard let text = node.text, let duration = GoDuration.parse(text), duration >= .seconds(3),
            let seconds = UInt16(exactly: duration.components.seconds)
        else { throw FieldError(reason: "expected 0s, or a duration from 3s to 65535s, found \(node.kind)") }
        return seconds
    }

    /// At least a second: KEEPALIVEs come no more often (RFC 4271 §4.4).
    static func keepaliveTime(_ node: DocumentNode) throws(FieldError) -> Duration {
        guard let text = node.text, let duration = GoDuration.parse(text), duration >= .seconds(1) else {
            throw FieldError(reason: "expected a duration of 1s or more, such as 30s, found \(node.kind)")
        }
        return duration
    }

    /// From a second, of which fractions cannot be told to the peer (RFC 4724 §3), to a day.
    static func restartTime(_ node: DocumentNode) throws(FieldError) -> Duration {
        guard let text = node.text, let duration = GoDuration.parse(text),
            (Duration.seconds(1)...Duration.seconds(86400)).contains(duration)
        else { throw FieldError(reason: "expected a duration from 1s to 24h, such as 120s, found \(node.kind)") }
        return duration
    }

    /// Nothing, or from a second to a day: after less the same would go wrong again, without end.
    static func pause(_ node: DocumentNode) throws(FieldError) -> Duration {
        guard let text = node.text, let duration = text == "0" ? .zero : GoDuration.parse(text),
            duration == .zero || (Duration.seconds(1)...Duration.seconds(86400)).contains(duration)
        else { throw FieldError(reason: "expected 0s, or a duration from 1s to 24h, found \(node.kind)") }
        return duration
    }

    /// Nothing, or up to a day.
    static func wait(_ node: DocumentNode) throws(FieldError) -> Duration {
        guard let text = node.text, let duration = text == "0" ? .zero : GoDuration.parse(text),
            (Duration.zero...Duration.seconds(86400)).contains(duration)
        else { throw FieldError(reason: "expected a duration from 0s to 24h, found \(node.kind)") }
        return duration
    }

    /// Up to 194 days, which is what twenty-four bits of seconds hold (RFC 9494 §3.1).
    static func longLivedStaleTime(_ node: DocumentNode) throws(FieldError) -> Duration {
        guard let text = node.text, let duration = GoDuration.parse(text), duration <= .seconds(0xff_ffff) else {
            throw FieldError(reason: "expected a duration up to 16777215s, found \(node.kind)")
        }
        return duration
    }

    /// From 10 ms, below which a busy machine is taken for a dead one, to a minute.
    static func bfdInterval(_ node: DocumentNode) throws(FieldError) -> Duration {
        guard let text = node.text, let duration = GoDuration.parse(text),
            (Duration.milliseconds(10)...Duration.seconds(60)).contains(duration)
        else { throw FieldError(reason: "expected a duration from 10ms to 60s, found \(node.kind)") }
        return duration
    }
}
