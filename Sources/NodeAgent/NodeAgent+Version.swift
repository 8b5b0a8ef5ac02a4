import NodeLink

extension NodeAgent {
    /// Which Apus this is, for `--version`.
    package static var version: String { ProgramVersion.current }
}
