// PodLinks: the host's ends of pod links in the kernel, recognised by their alias.
//
//   PodLinkSurvey   what the links and their routes say of the pods there are: the store is made again of it.
//   PodLinkRemover  deletes links, and looks whose they are before.
//
// Both programs do both: the plugin when it is alone, the daemon for all who ask it.

import LinuxOS
import NetTypes
package import Netlink
package import PodPlan

/// A link that is to be deleted.
package struct PodLinkTarget: Sendable, Hashable {
    /// The index of the host's end.
    package let index: UInt32
    /// The alias it must bear; nil for a pair that an ADD made and was killed before marking: it must bear none, and
    /// have the MAC of every host end.
    package let alias: LinkAlias?

    /// Names a link.
    package init(index: UInt32, alias: LinkAlias?) {
        self.index = index
        self.alias = alias
    }

    /// Whether a link is the one that is meant.
    package func matches(_ link: Link) -> Bool {
        guard link.index == index, link.kind == "veth" else { return false }
        guard let alias else { return link.alias == nil && link.macAddress == .hostEnd }
        return link.alias.flatMap(LinkAlias.init(parsing:)) == alias
    }
}

/// Deletes pod links.
///
/// The kernel unlists a link within a millisecond, and its answer comes some twenty later, after its grace periods. A
/// group of links costs hardly more than one: so many of them are put into a group of their own and go together.
package struct PodLinkRemover: ~Copyable {
    /// From so many links on a group is made. Below it the look at the group's members costs more than it saves.
    private static let smallestGroup = 2

    private var socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket()
    }

    /// Those of the links that are there and are what is meant; the others are gone, or another's.
    package mutating func present(_ targets: [PodLinkTarget]) throws(NetlinkError) -> [PodLinkTarget] {
        var present: [PodLinkTarget] = []
        for target in targets {
            guard let link = try socket.link(index: target.index), target.matches(link) else { continue }
            present.append(target)
        }
        return present
    }

    /// Deletes links that `present` has just answered; returns when the kernel is done with them.
    ///
    /// - Parameter group: a link group that nobody uses: a random number. Who else is in it is looked at before it is
    ///   deleted, and then the links go one by one.
    package mutating func delete(
        _ indices: [UInt32], group: @autoclosure () -> UInt32,
    ) throws(NetlinkError) {
        if indices.count >= Self.smallestGroup, try deleteTogether(indices, group: group()) { return }
        let failures = try socket.execute(NetlinkBatch(indices.map(NetlinkRequest.deleteLink)), acknowledgeEach: true)
        if let failure = failures.first(where: { $0.error.code != .ENODEV }) { throw failure.error }
    }

    /// - Returns: whether they are gone; false leaves them to be deleted one by one.
    private mutating func deleteTogether(_ indices: [UInt32], group: UInt32) throws(NetlinkError) -> Bool {
        let settings = indices.map { NetlinkRequest.setLink(index: $0, LinkSettings(group: group)) }
        let failures = try socket.execute(NetlinkBatch(settings), acknowledgeEach: true)
        var expected = Set(indices)
        for failure in failures { expected.remove(indices[failure.index]) }
        do throws(NetlinkError) {
            guard Set(try socket.links().filter { $0.group == group }.map(\.index)) == expected else { return false }
            try socket.execute(.deleteGroup(group))
            return failures.isEmpty
        } catch {
            // Others' links come and go too fast to be listed; or these are gone meanwhile, or somebody's link that cannot
            // be deleted has come into the group.
            return false
        }
    }
}
