import ArgumentParser
import JSONKit
import LinuxOS
import NetTypes

/// How an answer is written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

/// The option `-o`.
struct OutputOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "How the answer is written.")
    var output: OutputFormat = .table

    /// Writes the answer: the daemon's own words as JSON, or what `table` makes of them.
    func write(_ answer: JSONObject, table: (JSONObject) throws -> String) throws {
        let text =
            switch output {
            case .json: JSONText.serialize(.object(answer), pretty: true) + "\n"
            case .table: try table(answer)
            }
        try Self.write(text)
    }

    /// Writes text as it is.
    ///
    /// - Throws: `CommandFailure` when not all of it could be written: whoever reads it must not take it for the whole.
    static func write(_ text: String) throws(CommandFailure) {
        do throws(SystemError) {
            try ProcessIO.writeStandardOutput(text)
        } catch {
            throw CommandFailure(description: "\(error)")
        }
    }
}
