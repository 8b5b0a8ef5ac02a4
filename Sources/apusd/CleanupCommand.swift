import ArgumentParser
import CommandKit
import NodeAgent

/// Takes back what the daemon has made.
struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Remove what apusd has made on the node: routes, tunnel devices, nftables table, kernel settings.",
        discussion: "The daemon must not be running. Pods keep their links; their runtime removes them.")

    @Option(help: "The node's name, as the daemon was given it.", transform: nodeName)
    var node: String

    @Option(help: "The run directory, shared with the CNI executable.", transform: runDirectory)
    var runDir = "/run/apus"

    @Option(help: "Where the node remembers what outlives a boot.")
    var stateDir = "/var/lib/apus"

    func run() throws {
        let options = AgentOptions(
            nodeName: node, configurationPath: "", runDirectory: runDir, stateDirectory: stateDir)
        let done = try NodeCleanup(options: options).run()
        try StandardOutput.write((done.isEmpty ? ["nothing to remove"] : done).map { $0 + "\n" }.joined())
    }
}
