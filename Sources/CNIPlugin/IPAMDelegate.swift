import CNISpec
import JSONKit
import LinuxOS
import NetTypes

/// The IPAM plugin of somebody else that the configuration names: started as the runtime starts a plugin, with the same
/// environment and the same input, and with this process' standard error.
struct IPAMDelegate {
    /// How long it may take: an IPAM plugin may ask a server.
    private static let timeout = Duration.seconds(60)
    private static let maximumAnswer = 1 << 20

    private let call: PluginCall
    /// The plugin's name.
    let type: String
    private let path: String
    private let deadline: MonotonicTime?

    /// Whether the configuration names one.
    static func isNamed(by config: NetworkConfig) -> Bool {
        config.ipamType.map { !$0.isEmpty && $0 != "apus-ipam" } ?? false
    }

    /// Finds the program; nil if the addresses are Apus' own to give.
    ///
    /// - Parameter deadline: when it must be done with whatever it is called for, be it before its own time is over.
    /// - Throws: error 7 for a type that is no plugin's name, 4 when CNI_PATH does not hold it.
    init?(_ call: PluginCall, until deadline: MonotonicTime? = nil) throws {
        guard Self.isNamed(by: call.config), let type = call.config.ipamType else { return nil }
        guard !type.contains("/"), type != ".", type != "..", !type.unicodeScalars.contains("\0") else {
            throw CNIError(.invalidConfig, "ipam.type: \"\(type)\" is a path, not the name of a plugin")
        }
        // It would be asked for its addresses by itself, and so on.
        guard type != "apus" else {
            throw CNIError(.invalidConfig, "ipam.type: \"apus\" makes links; its IPAM plugin is \"apus-ipam\"")
        }
        for directory in call.environment.pluginPath where !directory.isEmpty {
            let candidate = "\(directory)/\(type)"
            guard let status = try? FileStatus.of(candidate), status.isRegularFile else { continue }
            self.call = call
            self.type = type
            path = candidate
            self.deadline = deadline
            return
        }
        let path = call.environment.pluginPath.joined(separator: ":")
        guard !path.isEmpty else {
            throw CNIError(
                .invalidEnvironment, "CNI_PATH is not set: the plugin \"\(type)\" of ipam.type is looked for there")
        }
        throw CNIError(
            .invalidEnvironment,
            "CNI_PATH: no plugin \"\(type)\", which ipam.type names, in it; install it there, or correct one of the two",
            details: path)
    }

    /// Runs one command.
    ///
    /// - Returns: what it printed; nil for nothing.
    /// - Throws: its own error, with its name before the message; error 11 when it does not end in time.
    @discardableResult
    func call(_ command: CNICommand) throws -> JSONValue? {
        var variables = call.input.variables.all
        variables["CNI_COMMAND"] = command.rawValue
        let ownDeadline = BootClock.now() + Self.timeout
        let ending: ChildProcess.Ending
        do throws(SystemError) {
            ending = try ChildProcess.run(
                path, environment: variables, input: call.input.text, outputLimit: Self.maximumAnswer,
                until: deadline.map { min($0, ownDeadline) } ?? ownDeadline)
        } catch {
            throw CNIError(error.code == .ETIMEDOUT ? .tryAgainLater : .failed, "\(type): \(error)")
        }
        let answer = ending.output.isEmpty ? nil : try? JSONText.parse(ending.output)
        guard ending.status == 0 else { throw failure(ending, answer) }
        if answer == nil, !ending.output.isEmpty {
            throw CNIError(.decode, "\(type): its answer to \(command.rawValue) is not JSON")
        }
        return answer
    }

    /// The addresses.
    /// - Throws: as `call`; error 6 for an answer without an address.
    func addresses() throws -> IPAMResult {
        guard let answer = try call(.add) else {
            throw CNIError(.decode, "\(type): it has answered nothing to ADD")
        }
        do throws(CNIError) {
            return try IPAMResult(answer)
        } catch {
            throw CNIError(error.code, "\(type): \(error.message)", details: error.details)
        }
    }

    private func failure(_ ending: ChildProcess.Ending, _ answer: JSONValue?) -> CNIError {
        guard let object = answer?.object, let code = object.lenient("code")?.int else {
            let end = ending.status.map { "exit status \($0)" } ?? "signal \(ending.signal)"
            return CNIError(.failed, "\(type): \(end), and no error object", details: path)
        }
        return CNIError(
            CNIErrorCode(rawValue: code), "\(type): \(object.lenient("msg")?.string ?? "")",
            details: object.lenient("details")?.string ?? "")
    }
}
