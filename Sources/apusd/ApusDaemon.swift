import ArgumentParser
import Logging
import NodeAgent
import ServiceLifecycle
import UnixSignals

/// The node's sidecar: without a word of command it is the daemon.
@main
struct ApusDaemon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apusd",
        abstract: "BGP speaker and route programmer of one node.",
        subcommands: [RunCommand.self, CleanupCommand.self], defaultSubcommand: RunCommand.self)
}

/// The daemon.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Be the daemon; the word may be left out.",
        discussion: """
            Ends on SIGTERM or SIGINT and leaves the routes in the kernel.

            Environment: IP and IP6 (autodetect, none or an address; unset means what the Node resource says), \
            IP_AUTODETECTION_METHOD and IP6_AUTODETECTION_METHOD (first-found, interface=, skip-interface=, \
            can-reach=, cidr=, kubernetes-internal-ip).
            """)

    @Option(help: "The node's name, as its Node resource has it.")
    var node: String

    @Option(help: "A directory of YAML resources, which is watched, or one multi-document file.")
    var config: String

    @Option(help: "The run directory, shared with the CNI executable.")
    var runDir = "/run/apus"

    @Option(help: "Where the node remembers what outlives a boot.")
    var stateDir = "/var/lib/apus"

    @Option(help: "trace, debug, info, notice, warning, error or critical.", transform: level)
    var logLevel: Logger.Level = .info

    @Flag(inversion: .prefixedNo, help: "Turn IP forwarding on.")
    var manageForwarding = true

    @Option(help: "How many seconds a tunnel device is kept that no node needs any more.")
    var tunnelGrace = 30

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "apusd")
        logger.logLevel = logLevel
        var options = AgentOptions(
            nodeName: node, configurationPath: config, runDirectory: runDir, stateDirectory: stateDir,
            managesForwarding: manageForwarding, tunnelGrace: .seconds(tunnelGrace))
        try options.readEnvironment()
        let group = ServiceGroup(
            services: [NodeAgent(options: options, logger: logger)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await group.run()
    }
}

private func level(_ word: String) throws -> Logger.Level {
    guard let level = Logger.Level(rawValue: word) else {
        let words = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(word)' is no log level; there are \(words)")
    }
    return level
}
