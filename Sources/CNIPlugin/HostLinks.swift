import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import PodPlan

/// The host's ends of pod links: recognised by their alias, deleted only if it is the right one.
struct HostLinks: ~Copyable {
    /// The host's end of a pod's link.
    struct End: Sendable, Equatable {
        /// The link's index.
        let index: UInt32
        /// Its name.
        let name: String
    }

    /// How long an ADD may take between making its link and marking it.
    static let markingTime = Duration.seconds(1)

    /// A socket in the host's namespace.
    var socket: NetlinkSocket

    /// Takes a socket over, or opens one in the namespace this thread is in.
    init(_ socket: consuming NetlinkSocket? = nil) throws {
        switch consume socket {
        case .some(let socket): self.socket = socket
        case .none: self.socket = try NetlinkSocket(isForFew: true)
        }
    }

    /// What has the name.
    ///
    /// - Parameter isRecorded: whether a record says that a link of that name is its own. Then a pair without an alias
    ///   counts as its own, too: an ADD may be killed between making and marking it.
    mutating func observe(_ name: String, isRecorded: Bool) throws -> ObservedLink {
        guard let link = try socket.link(named: name) else { return .absent }
        let isUnmarkedPair = link.alias == nil && link.kind == "veth" && link.macAddress == .hostEnd
        if isRecorded, isUnmarkedPair { return .unmarked(index: link.index) }
        return .present(index: link.index, alias: link.alias)
    }

    /// What has the index of a pair that was made here.
    mutating func observe(_ index: UInt32) throws -> ObservedLink {
        guard let link = try socket.link(index: index) else { return .absent }
        return link.alias == nil ? .unmarked(index: index) : .present(index: index, alias: link.alias)
    }

    /// The ends that bear the alias, whatever they are called after. All links are looked at.
    mutating func ends(of alias: LinkAlias) throws -> [End] {
        try socket.links().filter { link in
            link.name.hasPrefix("cali") && link.kind == "veth" && link.alias.flatMap(LinkAlias.init(parsing:)) == alias
        }.map { End(index: $0.index, name: $0.name) }
    }

    /// Deletes what was observed if it bears the alias, or if it is the key's and bears none. Any other link is left alone.
    ///
    /// - Returns: whether there was one to delete.
    @discardableResult
    mutating func delete(_ observed: ObservedLink, of alias: LinkAlias) throws -> Bool {
        switch observed {
        case .absent: return false
        case .unmarked(let index): return try socket.deleteLink(index)
        case .present(let index, _):
            guard observed.isMarked(alias) else { return false }
            return try socket.deleteLink(index)
        }
    }
}

extension ObservedLink {
    /// Whether it is a link that bears the alias.
    func isMarked(_ alias: LinkAlias) -> Bool {
        guard case .present(_, let text) = self else { return false }
        return text.flatMap(LinkAlias.init(parsing:)) == alias
    }
}
