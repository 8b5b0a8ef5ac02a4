import JSONKit
import LinuxOS
import NetTypes

/// Reverse path filtering of the links that tunnels need (`net.ipv4.conf.LINK.rp_filter`).
///
/// While two nodes change over from plain routes to a tunnel, packets of one direction come by the one and those of the
/// other by the other. Strict filtering drops them, loose filtering (2) does not; what is in force is the larger of the
/// link's value and `all`'s, so that 2 on the link is loose whatever `all` is.
struct ReversePathFilter: Sendable {
    /// The file that remembers the values of before, for `apusd cleanup`.
    let path: String

    /// - Parameter stateDirectory: where the values of before are remembered.
    init(stateDirectory: String, node: String) {
        path = "\(stateDirectory)/sysctls-\(node).json"
    }

    /// Makes the filtering of a link loose.
    ///
    /// - Returns: the value of before; nil when it was loose.
    func loosen(_ link: String) throws -> String? {
        let key = ["net", "ipv4", "conf", link, "rp_filter"]
        let old = try Sysctl.read(key)
        guard old != "2" else { return nil }
        var remembered = try recorded()
        // The first value is the operator's; what comes later somebody has set against us.
        if remembered[link] == nil {
            remembered[link] = old
            try save(remembered)
        }
        try Sysctl.write(key, "2")
        return old
    }

    /// Gives every link that is still there its value of before, and forgets them.
    ///
    /// - Returns: the links that were set.
    func restore() throws -> [String] {
        var restored: [String] = []
        for (link, value) in try recorded().sorted(by: { $0.key < $1.key }) {
            do throws(SystemError) {
                try Sysctl.write(["net", "ipv4", "conf", link, "rp_filter"], value)
                restored.append(link)
            } catch {
                guard error.code == .ENOENT else { throw error }
            }
        }
        try Files.remove(path)
        return restored
    }

    private func recorded() throws -> [String: String] {
        guard let bytes = try Files.readIfPresent(path, limit: 1 << 16),
            let object = try JSONText.parse(bytes).object?["rp_filter"]?.object
        else { return [:] }
        return Dictionary(
            object.members.compactMap { member in member.value.string.map { (member.name, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    private func save(_ values: [String: String]) throws {
        let members = values.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        let record: JSONValue = ["v": 1, "rp_filter": .object(JSONObject(members.map { (name: $0.0, value: $0.1) }))]
        try Files.replace(path, with: Array(JSONText.serialize(record, pretty: false).utf8))
    }
}
