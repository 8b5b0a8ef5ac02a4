import ArgumentParser
import CommandKit
import NodeAgent

/// Tries resources before a node does.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read resources as the daemon would, and say what it would refuse.",
        discussion: """
            Nothing is changed, and no daemon has to run. The exit status is 1 if something is refused. Passwords are \
            looked for beside the resources.
            """)

    @Option(help: "A directory of YAML resources, or one multi-document file.")
    var config: String

    @Option(help: "A node, to be told what the resources come to for it.", transform: nodeName)
    var node: String?

    func run() throws {
        let check = ConfigurationCheck(path: config, node: node)
        var lines = check.findings + ["in force: \(check.inventory)"]
        if let node { lines += check.node.map { "\(node): \($0)" } }
        try StandardOutput.write(lines.map { $0 + "\n" }.joined())
        guard check.isAccepted else { throw ExitCode.failure }
    }
}
