import ArgumentParser
import CommandKit
import JSONKit
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
        try StandardOutput.write(text)
    }
}

/// What a listing comes to, row by row: of a million rows no more is kept than their text.
struct Listing {
    private var table: TextTable
    private var list: JSONListText?

    /// A listing of nothing yet.
    init(header: [String], isJSON: Bool) {
        table = TextTable(header: header)
        list = isJSON ? JSONListText(named: "items") : nil
    }

    /// Appends a row: as the daemon's own words, or its cells.
    mutating func append(_ json: JSONValue, cells: @autoclosure () -> [String]) {
        if list == nil { table.append(cells()) } else { list?.append(json) }
    }

    /// Writes it.
    ///
    /// - Parameter members: what a JSON document has besides.
    func write(with members: JSONObject = [:]) throws(OutputError) {
        guard let list else { return try table.writePlain(StandardOutput.write) }
        for part in list.parts(with: members) + ["\n"] { try StandardOutput.write(part) }
    }
}
