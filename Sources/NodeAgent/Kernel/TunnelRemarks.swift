import NetTypes

/// What the log has said of the tunnels to nodes.
struct TunnelRemarks: Sendable {
    private var remarks: [IPAddress: String] = [:]

    /// Takes what is to be said of the tunnel to a node; whether it has not been said. nil is said by silence.
    mutating func isNew(_ remark: String?, of node: IPAddress) -> Bool {
        guard remarks[node] != remark else { return false }
        remarks[node] = remark
        return remark != nil
    }

    /// Forgets the nodes to which no tunnel leads any more.
    mutating func keep(_ nodes: some Sequence<IPAddress>) {
        guard !remarks.isEmpty else { return }
        let nodes = Set(nodes)
        remarks = remarks.filter { nodes.contains($0.key) }
    }
}
