import JSONKit
import LinuxOS
import NetTypes

/// The kernel settings that the daemon changes on the node, and what they were before: `sysctls-NODE.json`.
///
/// `apusd cleanup` gives them back. The first value that was found is the operator's; what comes later somebody has set
/// against the daemon.
struct ChangedSettings: Sendable {
    /// The file.
    let path: String

    /// - Parameter stateDirectory: where the values of before are remembered.
    init(stateDirectory: String, node: String) {
        path = "\(stateDirectory)/sysctls-\(node).json"
    }

    /// Whether any setting was changed in this name.
    func isThere() throws -> Bool { try FileStatus.of(path) != nil }

    /// The nodes that have changed settings on this machine, by their files.
    static func nodes(in stateDirectory: String) throws -> [String] {
        guard try FileStatus.of(stateDirectory) != nil else { return [] }
        return try Files.list(stateDirectory).compactMap { name in
            guard name.hasPrefix("sysctls-"), name.hasSuffix(".json") else { return nil }
            return String(name.dropFirst("sysctls-".count).dropLast(".json".count))
        }
    }

    /// Gives a setting a value. What cannot be remembered keeps nothing from being set.
    ///
    /// - Parameters:
    ///   - key: the parts below /proc/sys.
    ///   - forgetting: is told why the value of before is not remembered.
    /// - Returns: the value of before; nil when it was the same.
    func set(_ key: [String], to value: String, forgetting: (any Error) -> Void) throws -> String? {
        let old = try Sysctl.read(key)
        guard old != value else { return nil }
        do {
            try remember(key.joined(separator: "/"), old)
        } catch {
            forgetting(error)
        }
        try Sysctl.write(key, value)
        return old
    }

    private func remember(_ name: String, _ value: String) throws {
        var remembered = try recorded()
        guard remembered[name] == nil else { return }
        remembered[name] = value
        try save(remembered)
    }

    /// Gives every setting that is still there its value of before, and forgets them.
    ///
    /// - Returns: the settings that were given back.
    func restore() throws -> [String] {
        var restored: [String] = []
        for (name, value) in try recorded().sorted(by: { $0.key < $1.key }) {
            do throws(SystemError) {
                try Sysctl.write(name.split(separator: "/").map(String.init), value)
                restored.append("\(name) = \(value)")
            } catch {
                // The link has gone.
                guard error.code == .ENOENT else { throw error }
            }
        }
        try Files.remove(path)
        return restored
    }

    /// The values of before, by the parts below /proc/sys; none where the file holds none that can be read, as after a
    /// power cut.
    func recorded() throws(SystemError) -> [String: String] {
        guard let bytes = try Files.readIfPresent(path, limit: 1 << 16),
            let object = try? JSONText.parse(bytes).object?["sysctls"]?.object
        else { return [:] }
        return Dictionary(
            object.members.compactMap { member in member.value.string.map { (member.name, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    private func save(_ values: [String: String]) throws {
        let members = values.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        let record: JSONValue = ["v": 1, "sysctls": .object(JSONObject(members))]
        let text = JSONText.serialize(record, pretty: false)
        try Files.replace(path, with: Array(text.utf8), outlivesPowerCut: true)
    }
}
