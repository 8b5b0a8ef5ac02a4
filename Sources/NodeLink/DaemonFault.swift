package import NetTypes

/// Something that the daemon knows to be wrong with its node or with how it was started, and what to do about it.
package struct DaemonFault: Sendable, Hashable {
    /// What it is about: a link's name, an address, `metrics`. Who looks at the same thing need not say it again.
    package var subject: String
    /// What is wrong.
    package var problem: String
    /// What to do.
    package var remedy: String

    /// Makes a fault.
    package init(subject: String, problem: String, remedy: String) {
        self.subject = subject
        self.problem = problem
        self.remedy = remedy
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        subject = try reader.string("subject")
        problem = try reader.string("problem")
        remedy = try reader.string("remedy")
    }

    /// The fault as JSON.
    package var json: JSONValue {
        ["subject": .string(subject), "problem": .string(problem), "remedy": .string(remedy)]
    }
}
