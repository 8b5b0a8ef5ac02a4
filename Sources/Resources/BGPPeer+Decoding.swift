import NetTypes

extension BGPPeer {
    /// Reads a BGPPeer; nil when it is refused.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        let name = metadata.name
        guard let peer = reader.mapping("spec", { BGPPeer(spec: &$0, name: name ?? "") }) else {
            reader.requireSpec()
            return nil
        }
        guard let peer, name != nil else { return nil }
        self = peer
    }

    private init?(spec reader: inout FieldReader, name: String) {
        let scope = Self.scope(&reader)
        let remote = Self.remote(&reader)
        let keepsNextHop = reader.optional("keepOriginalNextHop", as: FieldValue.bool) ?? false
        let nextHopMode = reader.optional("nextHopMode", as: FieldValue.word(NextHopMode.self))
        let keepaliveTime = reader.optional("keepaliveTime", as: FieldValue.keepaliveTime)
        let maxRestartTime = reader.optional("maxRestartTime", as: FieldValue.restartTime)
        if keepsNextHop && nextHopMode != nil {
            reader.refuse("keepOriginalNextHop", "nextHopMode is set too; write nextHopMode alone")
        }
        let options = SessionOptions(&reader)
        reader.refuseUnsupported(["localWorkloadSelector"])
        if options.localASNumber != nil, reader.has("peerSelector") {
            reader.refuse("localASNumber", "not allowed with peerSelector: each node's own AS number counts")
        }
        let policy = PeerPolicy(&reader)
        reader.ignore(["reachableBy"], severity: .ineffective)
        guard let scope, let remote else { return nil }
        self.init(
            name: name, scope: scope, remote: remote, nextHopMode: nextHopMode ?? (keepsNextHop ? .keep : .auto),
            keepaliveTime: keepaliveTime, maxRestartTime: maxRestartTime,
        )
        session = options
        self.policy = policy
    }

    private static func scope(_ reader: inout FieldReader) -> Scope? {
        let node = reader.optional("node", as: FieldValue.text).flatMap { $0.isEmpty ? nil : $0 }
        let selectorText = reader.optional("nodeSelector", as: FieldValue.text) ?? ""
        let selector = reader.optional("nodeSelector", as: FieldValue.selector)
        switch (node, selectorText.isEmpty) {
        case (nil, true): return .global
        case (let node?, true): return .node(node)
        case (nil, false): return selector.map(Scope.nodeSelector)
        case (_?, false):
            reader.refuse("nodeSelector", "node is set too; write one of them")
            return nil
        }
    }

    private static func remote(_ reader: inout FieldReader) -> Remote? {
        let endpoint = reader.optional("peerIP", as: FieldValue.endpoint)
        let asNumber = reader.optional("asNumber", as: FieldValue.asNumber)
        let selector = reader.optional("peerSelector", as: FieldValue.selector)
        let reversal = reader.optional("reversePeering", as: FieldValue.word(Reversal.self)) ?? .auto
        switch (reader.has("peerIP"), reader.has("peerSelector")) {
        case (true, false):
            if !reader.has("asNumber") { reader.refuse("asNumber", "required with peerIP, but absent") }
            guard let endpoint, let asNumber else { return nil }
            return .address(endpoint.address, port: endpoint.port, asNumber: asNumber)
        case (false, true):
            if reader.has("asNumber") {
                reader.refuse("asNumber", "not allowed with peerSelector: each node's own AS number counts")
            }
            return selector.map { .peerSelector($0, isReversed: reversal == .auto) }
        case (true, true):
            reader.refuse("peerSelector", "peerIP is set too; write one of them")
        case (false, false):
            reader.refuse("peerIP", "required unless there is a peerSelector, but absent")
        }
        return nil
    }

    /// Whether the nodes that a `peerSelector` matches get the session too.
    private enum Reversal: String, CaseIterable {
        case auto = "Auto"
        case manual = "Manual"
    }
}
