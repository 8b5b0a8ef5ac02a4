/// Which Apus this is (https://semver.org), as `--version` has it. A release changes it here and in the changelog.
package enum ProgramVersion {
    /// Of this build's sources.
    package static let current = "0.1.0-dev"
}
