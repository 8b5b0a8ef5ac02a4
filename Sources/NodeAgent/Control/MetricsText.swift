/// Numbers in the text form that Prometheus reads (version 0.0.4).
struct MetricsText: Sendable, Equatable {
    /// What a family of numbers is.
    enum Kind: String, Sendable {
        case counter
        case gauge
    }

    /// The text so far.
    private(set) var text = ""

    /// One number of a family, with what tells it from the others.
    struct Sample: Sendable, Equatable {
        var labels: [(name: String, value: String)]
        var value: Int64

        init(_ value: Int64, _ labels: [(name: String, value: String)] = []) {
            self.labels = labels
            self.value = value
        }

        static func == (left: Sample, right: Sample) -> Bool {
            left.value == right.value && left.labels.elementsEqual(right.labels, by: ==)
        }
    }

    /// Appends a family. One without samples is left out.
    mutating func append(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            text += "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(sample.value)\n"
        }
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for character in value {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
