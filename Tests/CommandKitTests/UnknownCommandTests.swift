import ArgumentParser
import LinuxOS
import Testing

@testable import CommandKit

private struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "root", subcommands: [Start.self, Node.self], defaultSubcommand: Start.self)
}

private struct Start: ParsableCommand {
    @Option var node: String
}

private struct Node: ParsableCommand {
    static let configuration = CommandConfiguration(subcommands: [Status.self, Drain.self])
}

private struct Status: ParsableCommand {
    @Argument var word = ""
}

private struct Drain: ParsableCommand {}

@Suite("Words and options that no command has")
struct UnknownCommandTests {
    /// What is said of arguments; empty when nothing is wrong with them.
    private func complaint(_ line: String) -> String {
        do {
            _ = try Root.parseProgram(
                line.split(separator: " ").map(String.init),
                placeholders: ["": ["--node", "n"], "start": ["--node", "n"]])
            return ""
        } catch {
            return Root.message(for: error)
        }
    }

    @Test(
        "the unknown is named with what may have been meant, before what is missing",
        arguments: [
            ("strat --node a", "'root' has no command 'strat'. Did you mean 'start'?"),
            ("nod status", "'root' has no command 'nod'. Did you mean 'node'?"),
            ("node statsu", "'root node' has no command 'statsu'. Did you mean 'status'?"),
            ("node everything", "'root node' has no command 'everything'; there are status, drain."),
            ("--nod a", "Unknown option '--nod'. Did you mean '--node'?"),
            ("start --nod a", "Unknown option '--nod'. Did you mean '--node'?"),
            ("start", "Missing expected argument '--node <node>'"),
            ("start --node", "Missing value for '--node <node>'"),
            ("start --node a b", "Unexpected argument 'b'"),
        ])
    func named(line: String, said: String) {
        #expect(complaint(line).contains(said))
    }

    @Test("what is there is let through", arguments: ["--node a", "start --node a", "node status word", "node drain"])
    func known(line: String) {
        #expect(complaint(line).isEmpty)
    }

    @Test(
        "the nearest word",
        arguments: [
            ("pools", "ippools"), ("NODES", "nodes"), ("nodse", "nodes"), ("ro", "routes"), ("everything", nil),
            ("", nil),
        ])
    func nearest(word: String, meant: String?) {
        #expect(NearestWord.of(word, among: ["nodes", "ippools", "routes"]) == meant)
    }

    @Test("an answer without a reader is told from one without room")
    func output() {
        let full = OutputError(cause: SystemError("write", "standard output", .ENOSPC))
        #expect(!full.isUnread && "\(full)" == "the answer is lost: write standard output: No space left on device")
        #expect(OutputError(cause: SystemError("write", "standard output", .EPIPE)).isUnread)
    }
}
