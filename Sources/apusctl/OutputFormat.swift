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
        do throws(SystemError) {
            try ProcessIO.writeStandardOutput(text)
        } catch {
            throw CommandFailure(description: "\(error)")
        }
    }
}
