/// Why a record of the run directory cannot be read.
package enum RecordError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `v` is missing or names a version that this program does not know.
    case version(found: String)
    /// A member is missing: its path, as in `allocated.5.network`.
    case missing(String)
    /// A member is of the wrong type or value: its path, what was expected, what is there.
    case invalid(String, expected: String, found: String)
    /// The members contradict each other, as when an ordinal is free and allocated at once.
    case inconsistent(String)

    /// The reason in one line.
    package var description: String {
        switch self {
        case .version(let found): "v: expected 1, found \(found)"
        case .missing(let path): "\(path): missing"
        case .invalid(let path, let expected, let found): "\(path): expected \(expected), found \(found)"
        case .inconsistent(let reason): reason
        }
    }
}
