/// A finding in the configuration, with its place, as an operator reads it.
package struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
    /// How bad it is.
    package enum Severity: Int, Sendable, Hashable, Comparable {
        /// Nothing is wrong; a known field or kind has no effect in this version.
        case note
        /// Nothing is wrong; a field or a kind that changes what Calico's network does changes nothing here.
        case ineffective
        /// The resource is used, though something in it is not.
        case warning
        /// The resource, or the whole file, is refused.
        case error

        package static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
    }

    /// How bad it is.
    package var severity: Severity
    /// The file, relative to the configuration directory.
    package var file: String
    /// The line, counted from 1; nil when the whole file is meant.
    package var line: Int?
    /// The resource as `Kind/name`; nil when it has none or is none.
    package var resource: String?
    /// The path of the field, such as `spec.bgp.ipv4Address`; nil when the whole resource is meant.
    package var field: String?
    /// What is wrong, and where it helps what to write instead.
    package var reason: String

    /// Makes a diagnostic.
    package init(
        _ severity: Severity, file: String, line: Int? = nil, resource: String? = nil, field: String? = nil,
        reason: String,
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.resource = resource
        self.field = field
        self.reason = reason
    }

    /// Whether it may be about a resource of the kind: of what has no name that can be read nobody knows what it is.
    func mayBe(_ kind: ResourceKind) -> Bool { resource?.hasPrefix("\(kind.rawValue)/") ?? true }

    /// Whether it may be about a pool.
    package var mayBePool: Bool { mayBe(.ipPool) }

    /// `pools.yaml:7: IPPool/default: spec.cidr: REASON`, without the parts that are not there.
    package var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return [place, resource, field, reason].compactMap { $0 }.joined(separator: ": ")
    }
}
