package import NetTypes

/// Addresses inside of pools that are kept from pods: those of nodes from every pod, those of an IPReservation from
/// every pod that does not ask for the very address.
package struct WithheldAddresses: Sendable, Hashable {
    /// Addresses of nodes. A pod with one would answer for the node.
    package var nodes: Set<IPAddress>
    /// What IPReservations hold back.
    package var reservations: [IPPrefix]

    /// Makes a list; an empty one keeps nothing.
    package init(nodes: Set<IPAddress> = [], reservations: [IPPrefix] = []) {
        self.nodes = nodes
        self.reservations = reservations
    }

    /// Whether nothing is kept: nearly always.
    package var isEmpty: Bool { nodes.isEmpty && reservations.isEmpty }

    /// Whether an address is kept from a pod.
    ///
    /// - Parameter isAskedFor: whether the pod wants this address and no other, which counts before a reservation, as
    ///   Calico has it.
    package func keeps(_ address: IPAddress, isAskedFor: Bool = false) -> Bool {
        guard !isEmpty else { return false }
        if nodes.contains(address) { return true }
        return !isAskedFor && reservations.contains { $0.contains(address) }
    }
}
