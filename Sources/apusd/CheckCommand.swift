import ArgumentParser
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
        for line in check.findings { print(line) }
        print("in force: \(check.inventory)")
        if let node { for line in check.node { print("\(node): \(line)") } }
        guard check.isAccepted else { throw ExitCode.failure }
    }
}
