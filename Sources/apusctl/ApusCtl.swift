import ArgumentParser
import CommandKit
import NodeLink

/// `apusctl`: what people ask the daemon of their node.
@main
struct ApusCtl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apusctl",
        abstract: "Shows what Apus, the pod network of this node, is doing.",
        version: "apusctl \(ProgramVersion.current)",
        subcommands: [
            NodeCommand.self, GetCommand.self, BGPCommand.self, TraceCommand.self, DoctorCommand.self,
            IPAMCommand.self,
        ],
    )

    @OptionGroup var daemon: DaemonOptions

    static func main() {
        do {
            var command = try parseProgram(Array(CommandLine.arguments.dropFirst()))
            try command.run()
        } catch {
            end(with: error)
        }
    }
}
