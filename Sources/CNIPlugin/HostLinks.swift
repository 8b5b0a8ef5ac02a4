import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import PodPlan

/// The host's ends of pod links: recognised by their alias, deleted only if it is the right one.
struct HostLinks: ~Copyable {
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

    /// Deletes the link of this name if it bears the alias, or if it is recorded and bears none. Any other link is left
    /// alone.
    ///
    /// - Returns: whether there was one to delete.
    @discardableResult
    mutating func delete(_ name: String, of alias: LinkAlias, isRecorded: Bool) throws -> Bool {
        try delete(try observe(name, isRecorded: isRecorded), of: alias)
    }

    /// Deletes what was observed, as above.
    @discardableResult
    mutating func delete(_ observed: ObservedLink, of alias: LinkAlias) throws -> Bool {
        switch observed {
        case .absent: return false
        case .unmarked(let index): return try socket.deleteLink(index)
        case .present(let index, let text):
            guard text.flatMap(LinkAlias.init(parsing:)) == alias else { return false }
            return try socket.deleteLink(index)
        }
    }
}
