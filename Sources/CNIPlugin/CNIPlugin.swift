// The CNI executable: `apus`, or the IPAM plugin alone if it is called as `apus-ipam`.
//
//   environment, stdin ─▶ CCallHandover ─▶ PluginCall ─▶ AddCommand | DeleteCommand | … ─▶ JSON on stdout, exit status
//                          apusd: CallService ─┘           │ store (NodeStore) · kernel (PodKernel) · daemon (DaemonLine)
//
// An ADD or a DEL is offered to the daemon before any of this is started, and the daemon runs the same code on one of its
// threads; else, and if it declines, it is run here. A call stays on one thread, without suspension; every wait has a
// deadline. Exactly one JSON document goes to stdout, everything else to stderr or the log file.

import CNISpec
import JSONKit
import LinuxOS
package import NetTypes
import Netlink
import PodLinks

/// The program.
package enum CNIPlugin {
    /// The largest configuration accepted on stdin, in octets: room for the prevResult of a long chain.
    static let maximumConfig = 4 << 20

    /// Which of its two programs the executable is.
    package enum Role: Sendable, Hashable {
        /// The main plugin, which makes the link.
        case network
        /// The IPAM plugin.
        case addressesOnly

        /// The role that the program's name, `argv[0]`, stands for.
        package init(programName: String) {
            let isIPAM = programName == "apus-ipam" || programName.hasSuffix("/apus-ipam")
            self = isIPAM ? .addressesOnly : .network
        }
    }

    /// What a call comes to.
    package struct Outcome: Sendable, Equatable {
        /// What goes to stdout; nil for nothing.
        package var answer: JSONValue?
        /// The exit status.
        package var status: Int32

        /// Joins the two.
        package init(answer: JSONValue?, status: Int32) {
            self.answer = answer
            self.status = status
        }
    }

    /// Runs the program as it was called and ends the process.
    package static func main() -> Never {
        // Whoever listened to standard error may have gone; what has been begun is carried to its end all the same.
        ProcessIO.ignoreBrokenPipes()
        // A runtime gives no arguments, and a list of one is dear.
        if CommandLine.argc > 1, let target = LinkDeletion.target(of: CommandLine.arguments) {
            ProcessIO.exit(deleteLink(target))
        }
        ProcessIO.exit(main(programName: ProcessIO.programName, environment: .own))
    }

    /// The detached process of a DEL. Nobody hears what it says: whoever started it looks at the link.
    private static func deleteLink(_ target: PodLinkTarget) -> Int32 {
        do throws(NetlinkError) {
            try LinkDeletion.run(target)
            return 0
        } catch {
            return 1
        }
    }

    private static func main(programName: String, environment: CallVariables) -> Int32 {
        guard environment["CNI_COMMAND"] ?? "" != "" else {
            // People run a plugin by hand to see what it is.
            ProcessIO.writeStandardError(Introduction.text(for: Role(programName: programName)))
            return 0
        }
        var lostSince: MonotonicTime?
        switch CallHandover.outcome() {
        case .done(let status, let output, let log):
            if !log.isEmpty { ProcessIO.writeStandardError(log) }
            return end(output, status)
        case .declined: break
        case .lost(let since): lostSince = since
        }
        let role = Role(programName: programName)
        let outcome = run(role, environment: environment, lostSince: lostSince) {
            if environment["CNI_COMMAND"] == CNICommand.version.rawValue { return try versionConfig() }
            let (bytes, isWhole) = CallHandover.config
            if isWhole { return bytes }
            return try bytes + ProcessIO.readStandardInput(limit: maximumConfig - bytes.count)
        }
        return end(outcome.answer.map { text($0) } ?? [], outcome.status)
    }

    /// The configuration of a VERSION, which may do without: a terminal, and a pipe that nobody closes, would keep it for
    /// ever. What is not there in time is not looked at.
    private static func versionConfig() throws(SystemError) -> [UInt8] {
        try ProcessIO.readStandardInput(
            limit: maximumConfig, patience: .seconds(1), pause: .milliseconds(10)
        ) { (try? JSONText.parse($0)) != nil }
    }

    /// An answer as it goes to standard output.
    static func text(_ answer: JSONValue, pretty: Bool = true) -> [UInt8] {
        Array((JSONText.serialize(answer, pretty: pretty) + "\n").utf8)
    }

    /// Writes the answer; the exit status.
    private static func end(_ output: [UInt8], _ status: Int32) -> Int32 {
        guard !output.isEmpty else { return status }
        do throws(SystemError) {
            try ProcessIO.writeStandardOutput(output)
            return status
        } catch {
            ProcessIO.writeStandardError("apus: \(error)\n")
            return 1
        }
    }

    /// Runs one call.
    ///
    /// - Parameters:
    ///   - lostSince: when the call was handed to a daemon that has not answered; nil when it was not.
    ///   - readConfig: answers the bytes of stdin.
    package static func run(
        _ role: Role, environment: CallVariables, lostSince: MonotonicTime? = nil, readConfig: () throws -> [UInt8],
    ) -> Outcome {
        var config: JSONValue?
        let startedAt = BootClock.now()
        do {
            let variables = environment
            let environment = try CNIEnvironment { variables[$0] }
            if environment.command == .version {
                return Outcome(answer: VersionAnswer.json(config: try? JSONText.parse(bytes(readConfig))), status: 0)
            }
            let text = try bytes(readConfig)
            let json = try parse(text)
            config = json
            let input = PluginInput(variables: variables, text: text, lostSince: lostSince)
            return Outcome(answer: try answer(role, environment, json, input, startedAt), status: 0)
        } catch {
            let version = NetworkConfig.statedVersion(of: config) ?? .newest
            return Outcome(answer: CNIError(error).json(version: version), status: 1)
        }
    }

    private static func bytes(_ readConfig: () throws -> [UInt8]) throws(CNIError) -> [UInt8] {
        do {
            return try readConfig()
        } catch {
            if (error as? SystemError)?.code == .EFBIG {
                throw CNIError(
                    .inputOutput, "the network configuration on standard input is longer than \(maximumConfig) octets")
            }
            throw CNIError(.inputOutput, "cannot read the network configuration: \(error)")
        }
    }

    private static func parse(_ bytes: [UInt8]) throws(CNIError) -> JSONValue {
        guard !bytes.isEmpty else {
            throw CNIError(.decode, "standard input is empty: the network configuration is expected there")
        }
        do throws(JSONError) {
            return try JSONText.parse(bytes)
        } catch {
            throw CNIError(.decode, "the network configuration is not JSON: \(error)")
        }
    }

    private static func answer(
        _ role: Role, _ environment: CNIEnvironment, _ json: JSONValue, _ input: PluginInput,
        _ startedAt: MonotonicTime,
    ) throws -> JSONValue? {
        let config = try NetworkConfig(json, for: environment.command, isForAnother: role == .addressesOnly)
        let call = try PluginCall(environment: environment, config: config, input: input)
        var hostSocket: NetlinkSocket?
        return try answer(call, role, startedAt, &hostSocket)
    }

    /// Carries out a call whose configuration has been read.
    ///
    /// - Parameter hostSocket: a socket in the host's namespace for whoever needs one; who leaves one has read all of its
    ///   answers.
    static func answer(
        _ call: PluginCall, _ role: Role, _ startedAt: MonotonicTime, _ hostSocket: inout NetlinkSocket?,
    ) throws -> JSONValue? {
        do {
            switch (call.environment.command, role) {
            case (.add, .network): return try AddCommand(call).run(&hostSocket)
            case (.add, .addressesOnly): return try AddressCommand(call).run()
            case (.delete, .network):
                try DeleteCommand(call).run()
            case (.delete, .addressesOnly): try DeleteCommand(call).releaseAddresses()
            case (.version, _): return VersionAnswer.json(config: try? JSONText.parse(call.input.text))
            case (.check, .network): try CheckCommand(call).run()
            case (.check, .addressesOnly): try CheckCommand(call).checkAddresses()
            case (.collectGarbage, _): try GarbageCommand(call, startedAt: startedAt).run()
            case (.status, _): try StatusCommand(call, role).run()
            }
            return nil
        } catch {
            call.log.write(.error, "\(call.environment.command.rawValue) \(call.key): \(CNIError(error))")
            throw error
        }
    }
}
