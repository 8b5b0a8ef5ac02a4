import BGPTable
import Logging
import NetTypes

// Blocks of this node that somebody else announces too.
extension Speaker {
    /// The conflicts over what is announced and over what is to be, before it is. What changes of them later raises
    /// `conflictSignal`.
    ///
    /// - Parameters:
    ///   - blocks: all that the node is about to announce, whether it does so already or not.
    ///   - pools: the pools of then; who announces all of one leads to all the nodes, and is in conflict with none.
    func conflicts(planning blocks: [IPPrefix], in pools: [IPPrefix]) -> [OwnBlockConflict] {
        rib?.setPlanned(blocks, pools: pools)
        _ = takeNoteOfConflicts()
        return reportedConflicts
    }

    /// Says so if there are others than before.
    func reportConflicts() {
        if takeNoteOfConflicts() { conflictSignal.raise() }
    }

    private func takeNoteOfConflicts() -> Bool {
        let claims = rib?.ownBlockClaims ?? []
        for claim in claims where !claim.isProven { warnOfEcho(claim) }
        let conflicts = claims.filter(\.isProven)
        guard conflicts != reportedConflicts else { return false }
        for conflict in conflicts where !reportedConflicts.contains(conflict) {
            logger.error("own block announced by somebody else", metadata: ["conflict": "\(conflict)"])
        }
        reportedConflicts = conflicts
        return true
    }

    /// Nothing is closed for what a router may have sent back to this node; who wonders about it finds one line.
    private func warnOfEcho(_ claim: OwnBlockConflict) {
        guard let peer = peers[claim.peer], echoWarnings.insert(claim.peer).inserted else { return }
        logger.warning(
            "own block comes from a router: as this node's own that came back it is harmless, and the path does not tell",
            metadata: ["peer": "\(peer.address)", "prefix": "\(claim.announced)"])
    }
}
