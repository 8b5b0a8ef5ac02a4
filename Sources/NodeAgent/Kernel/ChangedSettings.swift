import JSONKit
import LinuxOS
import NetTypes

/// The kernel settings that the daemon changes on the node, and what they were before: `sysctls-NODE.json`.
///
/// `apusd cleanup` gives them back. The first value that was found since the boot is the operator's; what comes later
/// somebody has set against the daemon. What was found in an earlier boot is no value of before any more: since then the
/// kernel has begun anew, and the operator may have set another. That it was changed is remembered all the same.
struct ChangedSettings: Sendable {
    /// The file.
    let path: String
    /// The running boot; nil where it cannot be known, and all that is recorded counts as of it.
    private let bootID: String?

    /// - Parameter stateDirectory: where the values of before are remembered.
    init(stateDirectory: String, node: String, bootID: String? = try? BootID.current()) {
        path = "\(stateDirectory)/sysctls-\(node).json"
        self.bootID = bootID
    }

    /// What the file holds.
    private struct Record {
        /// The values of before, by the parts below /proc/sys.
        var values: [String: String] = [:]
        /// Those of an earlier boot.
        var former: Set<String> = []
        /// Whether it says which boot it is of; one of an earlier version does not.
        var namesBoot = true
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
        var record = try record()
        let isFormer = record.former.remove(name) != nil
        guard isFormer || record.values[name] == nil else { return }
        record.values[name] = value
        try save(record)
    }

    /// Has a record of an earlier version be one of this boot, so that the next knows it for an earlier one's.
    func nameBoot() throws {
        let record = try record()
        if !record.namesBoot { try save(record) }
    }

    /// Gives every setting that was changed since the boot and is still there its value of before, and forgets them.
    ///
    /// - Returns: the settings that were given back.
    func restore() throws -> [String] {
        var restored: [String] = []
        let record = try record()
        for (name, value) in record.values.sorted(by: { $0.key < $1.key }) where !record.former.contains(name) {
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

    /// The settings that were changed, in this boot or an earlier one, by the parts below /proc/sys; none where the file
    /// holds none that can be read, as after a power cut.
    func recorded() throws(SystemError) -> [String] { try record().values.keys.sorted() }

    private func record() throws(SystemError) -> Record {
        guard let bytes = try Files.readIfPresent(path, limit: 1 << 16),
            let object = try? JSONText.parse(bytes).object, let settings = object["sysctls"]?.object
        else { return Record() }
        var record = Record()
        record.values = Dictionary(
            settings.members.compactMap { member in member.value.string.map { (member.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        let boot = object["boot"]?.string
        record.namesBoot = boot != nil
        record.former =
            boot == nil || bootID == nil || boot == bootID
            ? Set(object["former"]?.array?.compactMap(\.string) ?? []) : Set(record.values.keys)
        return record
    }

    private func save(_ record: Record) throws {
        let members = record.values.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        var object: JSONObject = ["v": 1, "sysctls": .object(JSONObject(members))]
        if let bootID { object["boot"] = .string(bootID) }
        if !record.former.isEmpty { object["former"] = .array(record.former.sorted().map { .string($0) }) }
        let text = JSONText.serialize(.object(object), pretty: false)
        try Files.replace(path, with: Array(text.utf8), outlivesPowerCut: true)
    }
}
