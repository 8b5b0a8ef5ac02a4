/// What the runtime asks for (CNI_COMMAND).
package enum CNICommand: String, Sendable, Hashable, CaseIterable {
    case add = "ADD"
    case delete = "DEL"
    case check = "CHECK"
    case collectGarbage = "GC"
    case status = "STATUS"
    case version = "VERSION"

    /// The first version of the specification that has the command.
    package var since: CNIVersion {
        switch self {
        case .add, .delete, .version: .v010
        case .check: .v040
        case .collectGarbage, .status: .v110
        }
    }
}
