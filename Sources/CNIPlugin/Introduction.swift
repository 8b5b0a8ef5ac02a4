import CNISpec
import NodeLink

/// What the program says of itself to a person who runs it by hand: it has no arguments, and does nothing without
/// `CNI_COMMAND`.
enum Introduction {
    /// The text, by the name under which the program was started.
    static func text(for role: CNIPlugin.Role) -> String {
        let versions = CNIVersion.allCases.map(\.rawValue).joined(separator: ", ")
        let what =
            switch role {
            case .network: "CNI plugin \(ProgramVersion.current): gives a container an address, a link and its routes."
            case .addressesOnly: "IPAM plugin \(ProgramVersion.current): gives another CNI plugin addresses."
            }
        return """
            Apus \(what)
            A container runtime starts it, with CNI_COMMAND (ADD, DEL, CHECK, GC, STATUS or VERSION) and its like in
            the environment and the network configuration at standard input; it takes no arguments. Examples of
            configurations are in cni-conf, their keys in README.md under Configure. What the node's daemon is doing:
            apusctl --help.
            CNI protocol versions supported: \(versions)

            """
    }
}
