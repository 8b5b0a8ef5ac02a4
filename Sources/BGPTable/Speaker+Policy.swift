import BGPWire
import NetTypes

/// What the policies say of one learned route.
struct ImportJudgement {
    /// Why it may not be used.
    var refusal: Ineligibility?
    /// What is changed in it.
    var operations: [RouteFilter.Operation] = []
}

extension Speaker {
    /// What the peer's filter and the node's policy say of a prefix with these attributes.
    func judgement(
        of prefix: IPPrefix, _ set: AttributeSet, from role: PeerRole, rules: [RouteFilter.Rule],
    ) -> ImportJudgement {
        guard !rules.isEmpty else { return ImportJudgement(refusal: importPolicy.refusal(of: prefix)) }
        let route = RouteUnderFilter(
            prefix: prefix, attributes: set.attributes, isLocal: false, peerKind: role.kind,
            link: importPolicy.link(of: prefix, nextHop: set.nextHop?.address))
        guard let rule = rules.first(where: { $0.matches(route) }) else {
            return ImportJudgement(refusal: importPolicy.refusal(of: prefix))
        }
        switch rule.action {
        case .reject: return ImportJudgement(refusal: .filtered)
        case .accept(let operations):
            let danger = rule.names(prefix) ? nil : importPolicy.danger(of: prefix)
            return ImportJudgement(refusal: danger, operations: operations)
        }
    }

    /// Which rule of a peer's export filter decides about a route.
    enum ExportVerdict: Hashable {
        /// None does, and the route passes.
        case usual
        /// The rule at this place accepts it.
        case accepted(by: Int)
        /// A rule rejects it, or none accepts what does not pass otherwise.
        case rejected
    }

    /// What a peer's filter and the node's policy say of telling the peer a route.
    func exportVerdict(
        of prefix: IPPrefix, _ set: AttributeSet, isLocal: Bool, to role: PeerRole, rules: [RouteFilter.Rule],
    ) -> ExportVerdict {
        if !rules.isEmpty {
            let route = RouteUnderFilter(
                prefix: prefix, attributes: set.attributes, isLocal: isLocal, peerKind: role.kind,
                link: isLocal ? nil : importPolicy.link(of: prefix, nextHop: set.nextHop?.address))
            if let place = rules.firstIndex(where: { $0.matches(route) }) {
                return rules[place].action == .reject ? .rejected : .accepted(by: place)
            }
        }
        return isLocal || importPolicy.isExported(prefix) ? .usual : .rejected
    }
}
