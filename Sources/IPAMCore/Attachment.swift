package import NetTypes

/// The record of one pod interface: what it holds, and how far its ADD or DEL has come.
package struct Attachment: Sendable, Hashable {
    /// How far the attachment has come.
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// An ADD is at work, or was killed at it.
        case pending
        /// An ADD has answered.
        case complete
        /// A DEL is at work, or was killed at it.
        case deleting
    }

    /// Whose it is.
    package let key: AttachmentKey
    /// How far it has come.
    package var state: State
    /// The addresses, each as a prefix of its own: a /32 or a /128.
    ///
    /// Every address a block allocates to the key is in here; the reverse need not hold after a kill.
    package var addresses: [IPPrefix]
    /// The name of the link's host end; empty until it is decided.
    package var hostLink: String
    /// The index of the link's host end; 0 until it exists.
    package var hostLinkIndex: UInt32
    /// The MTU the link was given, in octets; nil until it exists. A node's own MTU may change while its pods live.
    package var mtuBytes: UInt32?
    /// The link-layer address that the runtime asked for the pod's end; nil for the one that follows from the key.
    package var requestedMAC: MACAddress?
    /// The pod, `namespace/name`, as the runtime of an ADD that has answered called it; nil if it did not. It is for people.
    package var podName: String?
    /// The boot in which the record was made.
    package let bootID: String
    /// When the ADD began, on CLOCK_BOOTTIME; of two, when the one began that took over from the other.
    package var createdAt: MonotonicTime

    /// Makes a record; by default that of an ADD that has just begun.
    package init(
        key: AttachmentKey, state: State = .pending, addresses: [IPPrefix] = [], hostLink: String = "",
        hostLinkIndex: UInt32 = 0, mtuBytes: UInt32? = nil, requestedMAC: MACAddress? = nil, bootID: String,
        createdAt: MonotonicTime,
    ) {
        self.key = key
        self.state = state
        self.addresses = addresses
        self.hostLink = hostLink
        self.hostLinkIndex = hostLinkIndex
        self.mtuBytes = mtuBytes
        self.requestedMAC = requestedMAC
        self.bootID = bootID
        self.createdAt = createdAt
    }
}

extension Attachment {
    /// Reads an attachment's file.
    ///
    /// `{"v":1,"network":…,"containerID":…,"ifName":…,"state":"pending","addresses":["10.244.0.5/32"],"hostLink":…,
    /// "hostLinkIndex":12,"mtu":1500,"mac":…,"pod":"default/nginx","bootID":…,"createdAt":…}`; `mtu`, `mac` and `pod` may
    /// be missing.
    /// - Throws: `RecordError`; the file is not one that Apus wrote, or somebody edited it.
    package init(json: JSONValue) throws(RecordError) {
        let reader = try RecordReader(record: json)
        var addresses: [IPPrefix] = []
        for (index, element) in try reader.array("addresses").enumerated() {
            guard let text = element.string, let prefix = IPPrefix(text), prefix.isHost else {
                throw .invalid(
                    "addresses[\(index)]", expected: "an address with /32 or /128",
                    found: element.string.map { "\"\($0)\"" } ?? element.kind)
            }
            addresses.append(prefix)
        }
        self.init(
            key: try AttachmentKey(reader),
            state: try reader.parsed("state", expected: "pending, complete or deleting") { State(rawValue: $0) },
            addresses: addresses,
            hostLink: try reader.string("hostLink"),
            hostLinkIndex: try reader.integer("hostLinkIndex"),
            mtuBytes: try reader.has("mtu") ? reader.integer("mtu") : nil,
            requestedMAC: try reader.has("mac")
                ? reader.parsed("mac", expected: "a link-layer address") { MACAddress($0) } : nil,
            bootID: try reader.string("bootID"),
            createdAt: MonotonicTime(nanoseconds: UInt64(try reader.integer("createdAt") as UInt64)))
        podName = try reader.has("pod") ? reader.string("pod") : nil
    }

    /// The attachment as its file holds it.
    package var json: JSONValue {
        .object(
            JSONObject(
                [("v", 1)] + key.members + [
                    ("state", .string(state.rawValue)),
                    ("addresses", .array(addresses.map { .string($0.description) })),
                    ("hostLink", .string(hostLink)),
                    ("hostLinkIndex", .int(Int64(hostLinkIndex))),
                ] + (mtuBytes.map { [("mtu", .int(Int64($0)))] } ?? [])
                    + (requestedMAC.map { [("mac", .string($0.description))] } ?? [])
                    + (podName.map { [("pod", .string($0))] } ?? []) + [
                        ("bootID", .string(bootID)),
                        ("createdAt", .int(Int64(clamping: createdAt.nanoseconds))),
                    ]))
    }
}
