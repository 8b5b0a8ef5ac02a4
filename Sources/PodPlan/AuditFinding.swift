package import IPAMCore
package import NetTypes

/// One thing in which records and kernel do not agree, and what to do about it.
package struct AuditFinding: Sendable, Hashable {
    /// What kind of thing, in a word for programs.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A block gives an address to a key that has no record.
        case leaked
        /// A block gives an address to a key whose record does not name it.
        case unnamed
        /// The record of a pod names an address that its block gives to nobody.
        case unallocated
        /// An address has two holders.
        case heldTwice
        /// An ADD or DEL was killed, and nobody has gone on with it.
        case abandoned
        /// The link of a pod is gone, and its record is there still.
        case linkGone
        /// The link of a pod is down: the pod is cut off.
        case linkDown
        /// The link of a pod does not say any more whose it is.
        case aliasChanged
        /// A link says that it is of a pod, and there is no record of that.
        case linkUnrecorded
        /// A second link says that it is of a pod that has one.
        case linkTwice
        /// A route of Apus leads over a pod's link to what the pod's record does not name.
        case strayRoute
        /// There is no route over a pod's link to an address of it.
        case routeMissing
        /// The node does not know a pod by a permanent neighbour.
        case neighbourMissing
        /// A record cannot be read.
        case unreadable
    }

    /// What kind of thing.
    package let kind: Kind
    /// What is wrong, in one line.
    package let problem: String
    /// What to do about it.
    package let remedy: String
    /// Whom it is about; a call at work on one of them explains it.
    package let keys: Set<AttachmentKey>
    /// The addresses it is about.
    package let addresses: [IPAddress]

    /// Makes a finding.
    package init(
        _ kind: Kind, _ problem: String, remedy: String, keys: Set<AttachmentKey> = [], addresses: [IPAddress] = [],
    ) {
        self.kind = kind
        self.problem = problem
        self.remedy = remedy
        self.keys = keys
        self.addresses = addresses
    }

    /// The finding as JSON: `{"kind":…,"problem":…,"remedy":…,"addresses":[…],"attachments":[{"network":…,…}]}`.
    package var json: JSONValue {
        [
            "kind": .string(kind.rawValue), "problem": .string(problem), "remedy": .string(remedy),
            "addresses": .array(addresses.map { .string($0.description) }),
            "attachments": .array(keys.sorted().map { .object(JSONObject($0.members)) }),
        ]
    }
}
