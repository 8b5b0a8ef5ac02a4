// The CNI contract (https://www.cni.dev/docs/spec/) as values.
//
//   environment ─▶ CNIEnvironment (CNICommand, CNIArguments)  ┐
//   stdin       ─▶ NetworkConfig  (CNIVersion)                ├─▶ a program ─▶ CNIResult or CNIError ─▶ stdout
//
// Nothing here reads or writes: JSON comes in and goes out as JSONValue, variables come in as a dictionary. What is
// invalid is a CNIError with the specification's code, so that a program can print it as it is.
//
// Deviations, all towards what runtimes really send: member names match whatever their case and null counts as absent
// (containerd), unknown CNI_ARGS are ignored, and `capabilities` in the configuration is ignored.

/// A version of the CNI specification that Apus can answer in.
package enum CNIVersion: String, Sendable, Hashable, CaseIterable, Comparable, CustomStringConvertible {
    case v010 = "0.1.0"
    case v020 = "0.2.0"
    case v030 = "0.3.0"
    case v031 = "0.3.1"
    case v040 = "0.4.0"
    case v100 = "1.0.0"
    case v110 = "1.1.0"

    /// The newest version.
    package static let newest = v110

    /// What a configuration without `cniVersion` means.
    package static let unstated = v020

    /// Which shape a result has.
    package enum ResultForm: Sendable, Hashable {
        /// `ip4` and `ip6`, one address each (0.1.0, 0.2.0).
        case perFamily
        /// `interfaces` and `ips`, each address with its `version` (0.3.0 to 0.4.0).
        case addressesWithVersion
        /// `interfaces` and `ips` (1.0.0).
        case addresses
        /// As `addresses`, with link and route details (1.1.0).
        case addressesWithDetails
    }

    /// The shape of a result in this version.
    package var resultForm: ResultForm {
        switch self {
        case .v010, .v020: .perFamily
        case .v030, .v031, .v040: .addressesWithVersion
        case .v100: .addresses
        case .v110: .addressesWithDetails
        }
    }

    /// The version as it is written: `1.0.0`.
    package var description: String { rawValue }

    package static func < (left: CNIVersion, right: CNIVersion) -> Bool {
        // Every component has one digit, so the text's order is the versions' order.
        left.rawValue < right.rawValue
    }
}
