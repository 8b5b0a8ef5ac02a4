package import NetTypes

/// A CNI error code: below 100 the specification's, from 100 on Apus' own.
package struct CNIErrorCode: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    package let rawValue: Int64

    /// The code of this number.
    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// The version of the configuration, or the command in that version, is not supported.
    package static let incompatibleVersion = CNIErrorCode(rawValue: 1)
    /// A field of the configuration is not supported.
    package static let unsupportedField = CNIErrorCode(rawValue: 2)
    /// The container is unknown or gone; the runtime need not send DEL.
    package static let unknownContainer = CNIErrorCode(rawValue: 3)
    /// A CNI_* variable is missing or invalid.
    package static let invalidEnvironment = CNIErrorCode(rawValue: 4)
    /// Reading or writing failed.
    package static let inputOutput = CNIErrorCode(rawValue: 5)
    /// The configuration is not JSON.
    package static let decode = CNIErrorCode(rawValue: 6)
    /// The configuration is JSON and still invalid.
    package static let invalidConfig = CNIErrorCode(rawValue: 7)
    /// CNI_NETNS is the plugin's own namespace (libcni's ErrInvalidNetNS).
    package static let ownNetns = CNIErrorCode(rawValue: 8)
    /// A passing condition; the runtime should try again later.
    package static let tryAgainLater = CNIErrorCode(rawValue: 11)
    /// An ADD would fail now (STATUS).
    package static let notAvailable = CNIErrorCode(rawValue: 50)
    /// An ADD would fail now, and containers that exist may be cut off (STATUS).
    package static let notAvailableLimited = CNIErrorCode(rawValue: 51)
    /// No free address is left.
    package static let poolExhausted = CNIErrorCode(rawValue: 100)
    /// Two owners claim one thing.
    package static let ownershipConflict = CNIErrorCode(rawValue: 101)
    /// Something failed that no other code speaks of (libcni's ErrInternal).
    package static let failed = CNIErrorCode(rawValue: 999)
}

/// A failure as the runtime reads it from stdout.
package struct CNIError: Error, Sendable, Equatable {
    /// What kind of failure.
    package var code: CNIErrorCode
    /// What failed, in one line.
    package var message: String
    /// More about it; empty for nothing.
    package var details: String

    /// Makes an error.
    package init(_ code: CNIErrorCode, _ message: String, details: String = "") {
        self.code = code
        self.message = message
        self.details = details
    }

    /// The error object that a plugin prints in `version`.
    package func json(version: CNIVersion) -> JSONValue {
        var object: JSONObject = [
            "cniVersion": .string(version.rawValue), "code": .int(code.rawValue), "msg": .string(message),
        ]
        if !details.isEmpty { object["details"] = .string(details) }
        return .object(object)
    }
}

extension CNIError: CustomStringConvertible {
    /// `error 7: …`.
    package var description: String {
        "error \(code.rawValue): \(message)" + (details.isEmpty ? "" : " (\(details))")
    }
}
