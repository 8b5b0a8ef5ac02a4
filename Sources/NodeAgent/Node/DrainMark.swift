import LinuxOS

/// Whether the node is drained, as the state directory remembers it over restarts and boots: a file that is there or not.
struct DrainMark: Sendable {
    /// The file.
    let path: String
    /// Whether the node is drained.
    private(set) var isSet: Bool

    /// Looks. A mark that cannot be looked for counts as none.
    init(stateDirectory: String, node: String) {
        path = "\(stateDirectory)/drained-\(node)"
        isSet = ((try? Files.readIfPresent(path, limit: 1)) ?? nil) != nil
    }

    /// Remembers it.
    mutating func set(_ isWanted: Bool) throws(SystemError) {
        if isWanted {
            try Files.replace(path, with: [])
        } else {
            _ = try Files.remove(path)
        }
        isSet = isWanted
    }
}
