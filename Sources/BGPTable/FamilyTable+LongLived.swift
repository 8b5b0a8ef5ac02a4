import BGPWire

// Long-lived graceful restart, the helper's side (RFC 9494 §4.2).
extension FamilyTable {
    /// Keeps the peer's stale routes on, marked as such and as the last choice; those that bear NO_LLGR go. How many
    /// went.
    ///
    /// The mark is the community: it makes another set of the attributes, so that the choice is made anew and everybody
    /// is told of it. A route that is announced again is fresh, because its set is another one again.
    mutating func keepLong(_ slot: PeerSlot, speaker: inout Speaker) -> Int {
        var removed = 0
        var index = routes.firstRoute(of: slot)
        while index != AdjRIBIn.none {
            let route = routes[index]
            if route.isStale {
                if speaker.attributes[route.handle]?.attributes.communities.contains(.noLLGR) ?? false {
                    _ = remove(index, speaker: &speaker)
                    removed += 1
                } else {
                    markLongLived(index, speaker: &speaker)
                }
            }
            index = route.nextOfPeer
        }
        return removed
    }

    private mutating func markLongLived(_ index: UInt32, speaker: inout Speaker) {
        if let original = originals[index], let marked = speaker.attributes.longLived(original) {
            keep(marked, of: index, used: routes[index].handle, speaker: &speaker)
            speaker.attributes.release(marked)
        }
        let former = routes[index].handle
        guard let marked = speaker.attributes.longLived(former) else { return }
        guard marked != former else { return speaker.attributes.release(marked) }
        routes.setHandle(index, marked)
        _ = decide(routes[index].prefix, speaker: speaker)
        speaker.attributes.release(former)
    }
}

extension AttributeTable {
    /// The handle of a set with LLGR_STALE, with one reference more, which the caller owns; nil for no set.
    fileprivate mutating func longLived(_ handle: AttributeHandle) -> AttributeHandle? {
        guard var set = self[handle] else { return nil }
        if !set.attributes.communities.contains(.llgrStale) { set.attributes.communities.append(.llgrStale) }
        return intern(set)
    }
}
