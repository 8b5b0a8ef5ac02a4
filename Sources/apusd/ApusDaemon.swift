import ArgumentParser
import CommandKit
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
        discussion: """
            apusd --node NAME --config DIR starts the daemon; 'apusd help run' lists its options.
            """,
        version: "apusd \(NodeAgent.version)",
        subcommands: [RunCommand.self, CheckCommand.self, CleanupCommand.self], defaultSubcommand: RunCommand.self)

    static func main() async {
        NodeAgent.shareHeap()
        do {
            try NodeAgent.requireProc()
            let run = ["--node", "node", "--config", "config"]
            var command = try parseProgram(
                Array(CommandLine.arguments.dropFirst()),
                placeholders: [
                    "": run, "run": run, "check": ["--config", "config"], "cleanup": ["--node", "node"],
                ])
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }
}

/// The daemon.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Be the daemon; the word may be left out.",
        discussion: """
            Ends on SIGTERM or SIGINT and leaves the routes in the kernel. SIGHUP changes nothing: the files of --config \
            are followed.

            Environment: IP and IP6 (autodetect, none or an address; unset means what the Node resource says), \
            IP_AUTODETECTION_METHOD and IP6_AUTODETECTION_METHOD (first-found, interface=, skip-interface=, \
            can-reach=, cidr=, kubernetes-internal-ip). For a cluster without an IPPool: CALICO_IPV4POOL_CIDR, \
            _BLOCK_SIZE, _IPIP, _VXLAN, _NAT_OUTGOING, _DISABLE_BGP_EXPORT, those of CALICO_IPV6POOL_, NO_DEFAULT_POOLS.
            """)

    @Option(help: "The node's name, as its Node resource has it.", transform: nodeName)
    var node: String

    @Option(help: "A directory of YAML resources, which is watched, or one multi-document file.")
    var config: String

    @Option(help: "The run directory, shared with the CNI executable.", transform: runDirectory)
    var runDir = "/run/apus"

    @Option(help: "Where the node remembers what outlives a boot.")
    var stateDir = "/var/lib/apus"

    @Option(help: "trace, debug, info, notice, warning, error or critical.", transform: level)
    var logLevel: Logger.Level = .info

    @Flag(inversion: .prefixedNo, help: "Turn IP forwarding on.")
    var manageForwarding = true

    @Flag(inversion: .prefixedNo, help: "Carry out ADDs and DELs for the CNI executable, which then only waits.")
    var serveCalls = true

    @Option(
        help: ArgumentHelp(
            "Answer Prometheus at http://ADDRESS:PORT/metrics; a port alone is at 127.0.0.1. Off unless given.",
            valueName: "[address:]port"),
        transform: endpoint)
    var metrics: Endpoint?

    @Option(help: "How many seconds a tunnel device is kept that no node needs any more.")
    var tunnelGrace = 30

    func validate() throws {
        guard tunnelGrace < 0 else { return }
        throw ValidationError("--tunnel-grace \(tunnelGrace): expected 0 or more seconds")
    }

    func run() async throws {
        if JournalLogHandler.isJournalAtHand {
            LoggingSystem.bootstrap { _ in JournalLogHandler() }
        } else {
            LoggingSystem.bootstrap(StreamLogHandler.standardError)
        }
        var logger = Logger(label: "apusd")
        logger.logLevel = logLevel
        var options = AgentOptions(
            nodeName: node, configurationPath: config, runDirectory: runDir, stateDirectory: stateDir,
            managesForwarding: manageForwarding, metricsEndpoint: metrics.map { ($0.address, $0.port) },
            tunnelGrace: .seconds(tunnelGrace))
        options.servesCalls = serveCalls
        for name in try options.readEnvironment() {
            logger.info("a variable of the environment that means nothing here", metadata: ["name": "\(name)"])
        }
        let group = ServiceGroup(
            services: [NodeAgent(options: options, logger: logger), HangUp(logger: logger)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await group.run()
    }
}

/// A name that a Node resource can have.
func nodeName(_ word: String) throws -> String {
    guard AgentOptions.isNodeName(word) else {
        throw ValidationError("'\(word)' is no name of a Node: letters, digits, '.', '_' and '-' alone")
    }
    return word
}

/// A directory in which a Unix socket can be.
func runDirectory(_ word: String) throws -> String {
    guard AgentOptions.isRunDirectory(word) else {
        throw ValidationError("'\(word)' is no run directory: at most 96 octets, so that the socket in it can be named")
    }
    return word
}

private func level(_ word: String) throws -> Logger.Level {
    guard let level = Logger.Level(rawValue: word) else {
        let words = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(word)' is no log level; there are \(words)")
    }
    return level
}

/// An address and a port.
struct Endpoint: Sendable {
    let address: String
    let port: UInt16
}

/// `PORT`, `ADDRESS:PORT` or `[IPV6]:PORT`.
private func endpoint(_ word: String) throws -> Endpoint {
    guard let port = UInt16(word.split(separator: ":").last ?? ""), port > 0, !word.hasSuffix(":") else {
        throw ValidationError("'\(word)' is no port, and no address with a port after a colon")
    }
    guard let colon = word.lastIndex(of: ":") else { return Endpoint(address: "127.0.0.1", port: port) }
    let host = word[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    let address = String(isBracketed ? host.dropFirst().dropLast() : host)
    guard AgentOptions.isAddress(address) else {
        throw ValidationError("'\(word)': '\(address)' is no IP address; write 127.0.0.1:\(port) or [::1]:\(port)")
    }
    return Endpoint(address: address, port: port)
}
