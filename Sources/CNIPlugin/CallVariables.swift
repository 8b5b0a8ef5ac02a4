import LinuxOS

/// The environment of one call. A process looks up what it needs: to read all of it into a dictionary would take a tenth
/// of the time that a VERSION has.
package enum CallVariables: Sendable {
    /// The process' own.
    case own
    /// These and no others.
    case given([String: String])

    /// The value of a variable; nil when it is not set.
    subscript(name: String) -> String? {
        switch self {
        case .own: ProcessIO.variable(name)
        case .given(let variables): variables[name]
        }
    }

    /// All of them.
    var all: [String: String] {
        switch self {
        case .own: ProcessIO.environment()
        case .given(let variables): variables
        }
    }
}
