import CCallHandover

/// Which Apus this is (https://semver.org), as `--version` has it.
package enum ProgramVersion {
    /// Of this build's sources. CCallHandover.h has it, which is the first thing to say it to a daemon.
    package static let current = APUS_VERSION
}
