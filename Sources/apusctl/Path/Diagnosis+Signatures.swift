import NodeLink

// Passwords that do not fit: the kernel drops what is not signed as it should be, and says nothing to anybody.
extension Diagnosis {
    /// - Parameter counters: what the kernel has counted of TCP since the boot.
    mutating func checkSignatures(_ peers: [PeerStatus], _ counters: [String: Int64]) {
        let down = peers.filter { $0.state != "up" }
        let dropped = Self.text(of: ["TCPMD5Failure", "TCPMD5NotFound"], counters)
        let signed = down.filter(\.hasPassword).map(Self.name)
        if let dropped, !signed.isEmpty {
            add(
                "the password of \(signed.joined(separator: ", ")) may not fit: the kernel has dropped segments that "
                    + "were not signed with it (\(dropped) since the boot)",
                "give both sides the same password (spec.password of the BGPPeer, nodeMeshPassword of the "
                    + "BGPConfiguration); TCPMD5Failure counts another password, TCPMD5NotFound none at all")
        }
        let unsigned = down.filter { !$0.hasPassword }.map(Self.name)
        if let unexpected = Self.text(of: ["TCPMD5Unexpected"], counters), !unsigned.isEmpty {
            add(
                "\(unsigned.joined(separator: ", ")) may have a password for this node, which has none for it: the "
                    + "kernel has dropped segments that were signed (\(unexpected) since the boot)",
                "give the BGPPeer the password of the other side (spec.password), or take it away there")
        }
    }

    private static func name(_ peer: PeerStatus) -> String {
        peer.node.isEmpty ? peer.address : "\(peer.address) (\(peer.node))"
    }

    /// The counters that are not zero; nil when all are.
    private static func text(of names: [String], _ counters: [String: Int64]) -> String? {
        let counted = names.filter { counters[$0, default: 0] > 0 }.map { "\($0) \(counters[$0, default: 0])" }
        return counted.isEmpty ? nil : counted.joined(separator: ", ")
    }
}
