package import IPAMCore
package import NetTypes

/// The host's end of a pair of links, as the kernel shows it to an audit.
package struct ObservedEnd: Sendable, Hashable {
    /// The link's index.
    package let index: UInt32
    /// The link's name.
    package let name: String
    /// Whose it is, by its alias; nil for a link without an alias of Apus.
    package let key: AttachmentKey?
    /// Whether it is up; without that it has no routes.
    package let isUp: Bool
    /// What Apus' own routes lead over it, each a /32 or a /128, sorted.
    package let addresses: [IPPrefix]
    /// The permanent neighbours on it.
    package let neighbours: Set<IPAddress>

    /// Makes an end.
    package init(
        index: UInt32, name: String, key: AttachmentKey?, isUp: Bool = true, addresses: [IPPrefix] = [],
        neighbours: Set<IPAddress> = [],
    ) {
        self.index = index
        self.name = name
        self.key = key
        self.isUp = isUp
        self.addresses = addresses
        self.neighbours = neighbours
    }
}

/// All ends of a node, to be found by whose they are.
package struct ObservedEnds: Sendable {
    /// The ends, by index.
    package let all: [ObservedEnd]
    private let marked: [AttachmentKey: ObservedEnd]
    private let indexed: [UInt32: ObservedEnd]
    private let unmarked: [String: ObservedEnd]

    /// Sorts ends.
    package init(_ ends: [ObservedEnd]) {
        all = ends.sorted { $0.index < $1.index }
        marked = Dictionary(
            all.compactMap { end in end.key.map { ($0, end) } }, uniquingKeysWith: { first, _ in first })
        indexed = Dictionary(all.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
        unmarked = Dictionary(
            all.filter { $0.key == nil }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Which of the links is the attachment's: the one of its index, whatever that says; else one that says so.
    package func end(of attachment: Attachment) -> ObservedEnd? {
        if attachment.hostLinkIndex != 0, let end = indexed[attachment.hostLinkIndex] { return end }
        if let end = marked[attachment.key] { return end }
        // An ADD may be killed between making and marking.
        guard attachment.hostLinkIndex == 0, !attachment.hostLink.isEmpty else { return nil }
        return unmarked[attachment.hostLink]
    }

    /// A link that says that it is of the key.
    package func end(markedBy key: AttachmentKey) -> ObservedEnd? { marked[key] }
}
