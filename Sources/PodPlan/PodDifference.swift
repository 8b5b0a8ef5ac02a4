/// Something about a pod that is not as its plan has it.
package enum PodDifference: Sendable, Hashable, CustomStringConvertible {
    /// A thing that must be there is not.
    case missing(String)
    /// A thing is there and not as it must be.
    case altered(String, expected: String, found: String)
    /// A thing is there as it must be, and packets that it is there for go another way.
    case bypassed(String, by: String)

    /// The difference in the words of an error message.
    package var description: String {
        switch self {
        case .missing(let thing): "\(thing) is missing"
        case .altered(let thing, let expected, let found): "\(thing) is \(found), not \(expected)"
        case .bypassed(let thing, let other): "packets of \(thing) are taken by \(other)"
        }
    }
}
