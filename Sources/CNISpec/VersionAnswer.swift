package import NetTypes

/// The answer to VERSION.
package enum VersionAnswer {
    /// The object that lists what Apus supports.
    ///
    /// `cniVersion` echoes the configuration's when it names a supported version, else it is the newest: the
    /// specification asks for the echo, and runtimes only need it to be there.
    package static func json(config: JSONValue?) -> JSONValue {
        let asked = config?.object?.lenient("cniVersion")?.string.flatMap(CNIVersion.init(rawValue:))
        return [
            "cniVersion": .string((asked ?? .newest).rawValue),
            "supportedVersions": .array(CNIVersion.allCases.map { .string($0.rawValue) }),
        ]
    }
}
