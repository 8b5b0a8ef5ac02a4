/// What there is to do for a table's owner, as of one look.
package struct Agenda: Sendable, Equatable {
    /// Whether `drainForwardingChanges` has something to look at.
    package var hasForwardingChanges = false
    /// Whether there is work that waits for `goOn`.
    package var hasSlicesLeft = false
    /// Whether there is something to look at for any peer.
    package var hasPendingUpdates = false
    /// How many peers will be told of it, if it is with them as it was the last time.
    package var expectedAudience = 0
    /// Whether the limit of a step holds back what could be told.
    package var isExportBehind = false
    /// Whether the last `nextDeliveries` gave up its turn before it had found all that it may hand out.
    package var isExportCutShort = false

    /// Makes an agenda with nothing on it.
    package init() {}
}

extension RIB {
    /// What there is to do. It changes nothing; as a mutating method it looks at the table where it lies, which is
    /// asked for with every message, instead of at a copy.
    package mutating func agenda() -> Agenda {
        var agenda = Agenda()
        for table in tables.indices { tables[table].put(on: &agenda) }
        return agenda
    }
}

extension FamilyTable {
    fileprivate mutating func put(on agenda: inout Agenda) {
        if !pendingForwarding.isEmpty { agenda.hasForwardingChanges = true }
        if hasSlicesLeft { agenda.hasSlicesLeft = true }
        if isStepCutShort { agenda.isExportCutShort = true }
        let end = log.nextSequence
        for place in groups.indices { groups[place]?.put(on: &agenda, end: end) }
    }
}
