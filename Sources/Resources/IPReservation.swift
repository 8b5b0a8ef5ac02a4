package import NetTypes

/// Addresses that are given to nobody who does not ask for them (`kind: IPReservation`).
///
/// As in Calico a reservation is looked at when an address is chosen, and at no other time: a pod that has one already
/// keeps it, and one that asks for this very address gets it.
package struct IPReservation: Sendable, Hashable {
    /// metadata.name.
    package var name: String
    /// spec.reservedCIDRs; a single address stands as its /32 or /128.
    package var reservedCIDRs: [IPPrefix]

    /// Makes a reservation.
    package init(name: String, reservedCIDRs: [IPPrefix]) {
        self.name = name
        self.reservedCIDRs = reservedCIDRs
    }
}

extension IPReservation {
    /// Reads an IPReservation; nil when it is refused.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        let cidrs = reader.mapping("spec") { $0.optional("reservedCIDRs", as: FieldValue.addressesOrPrefixes) ?? [] }
        guard let cidrs else {
            reader.requireSpec()
            return nil
        }
        guard let name = metadata.name else { return nil }
        self.init(name: name, reservedCIDRs: cidrs)
    }
}

extension FieldValue {
    /// A list of prefixes and single addresses.
    fileprivate static func addressesOrPrefixes(_ node: DocumentNode) throws(FieldError) -> [IPPrefix] {
        var prefixes: [IPPrefix] = []
        for element in try list(node) {
            if let address = IPAddress(try text(element)) {
                prefixes.append(address.hostPrefix)
            } else {
                prefixes.append(try prefix(element))
            }
        }
        return prefixes
    }
}
