import NetTypes

/// The attachments of a network that GC is to keep.
package struct ValidAttachments: Sendable, Hashable {
    /// One of them.
    package struct Entry: Sendable, Hashable {
        /// CNI_CONTAINERID of its ADD.
        package let containerID: String
        /// CNI_IFNAME of its ADD.
        package let ifName: String

        /// Joins the two.
        package init(containerID: String, ifName: String) {
            self.containerID = containerID
            self.ifName = ifName
        }
    }

    /// What is to be kept; nothing, if it is empty.
    package let entries: Set<Entry>

    /// The names the list has gone by: libcni's, and that of the text of version 1.1.0. Runtimes send both.
    static let keys = ["cni.dev/valid-attachments", "cni.dev/attachments"]

    /// Reads the list; nil if it is absent or null under both names: then nobody has said what is alive.
    ///
    /// Lists under both names are taken together, for to keep too much does less harm.
    /// - Throws: error 7. A list that cannot be read is not an empty one.
    init?(_ reader: ConfigReader) throws(CNIError) {
        let keys = Self.keys.filter { reader.value($0) != nil }
        guard !keys.isEmpty else { return nil }
        var entries: Set<Entry> = []
        for key in keys {
            for (index, element) in try reader.objects(key).enumerated() {
                guard let containerID = try element.string("containerID"), !containerID.isEmpty,
                    let ifName = try element.string("ifname"), !ifName.isEmpty
                else {
                    throw CNIError(.invalidConfig, "\(key)[\(index)]: expected containerID and ifname")
                }
                entries.insert(Entry(containerID: containerID, ifName: ifName))
            }
        }
        self.entries = entries
    }
}
