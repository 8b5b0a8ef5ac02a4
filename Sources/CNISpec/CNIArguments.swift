import NetTypes

/// The `KEY=VALUE;KEY=VALUE` list of CNI_ARGS.
package struct CNIArguments: Sendable, Equatable {
    private let values: [String: String]

    /// Parses the list; of two with one key the later wins. Empty items are skipped.
    ///
    /// A key that Apus does not know is no error, with or without IgnoreUnknown=1: runtimes send their own to every
    /// plugin.
    /// - Throws: error 4 for an item without `=`.
    package init(_ text: String) throws(CNIError) {
        var values: [String: String] = [:]
        for item in text.parts(separatedBy: ";") {
            guard let (key, value) = String(item).halves(around: "=") else {
                throw CNIError(.invalidEnvironment, "CNI_ARGS: \"\(item)\" is not KEY=VALUE", details: text)
            }
            values[String(key)] = String(value)
        }
        self.values = values
    }

    /// The value of a key; nil when it is absent or empty.
    package subscript(key: String) -> String? {
        guard let value = values[key], !value.isEmpty else { return nil }
        return value
    }

    /// The pod's namespace, as kubelet and containerd send it.
    package var podNamespace: String? { self["K8S_POD_NAMESPACE"] }

    /// The pod's name, as kubelet, containerd and podman send it.
    package var podName: String? { self["K8S_POD_NAME"] }

    /// `namespace/name`, or the name where there is no namespace; nil without a name.
    package var qualifiedPodName: String? {
        podName.map { name in podNamespace.map { "\($0)/\(name)" } ?? name }
    }
}
