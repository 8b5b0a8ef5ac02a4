package import ArgumentParser
import LinuxOS

extension ParsableCommand {
    /// The command that the arguments ask for.
    ///
    /// - Parameter placeholders: by the words of a subcommand, arguments that stand for what it requires: with them what
    ///   is unknown shows, which a missing argument hides from the parser.
    package static func parseProgram(
        _ arguments: [String], placeholders: [String: [String]] = [:],
    ) throws -> any ParsableCommand {
        if let unknown = UnknownCommand.first(in: arguments, of: Self.self) {
            throw ValidationError(unknown.description)
        }
        do {
            return try parseAsRoot(arguments)
        } catch {
            guard exitCode(for: error) == .validationFailure, !arguments.isEmpty else { throw error }
            let first = arguments.first ?? ""
            let required = placeholders[first] ?? placeholders[""] ?? []
            if let other = failure(of: arguments + required) { throw other }
            throw error
        }
    }

    /// What stands against arguments that lack nothing; nil when nothing does.
    private static func failure(of arguments: [String]) -> (any Error)? {
        do {
            _ = try parseAsRoot(arguments)
            return nil
        } catch {
            return exitCode(for: error) == .validationFailure ? error : nil
        }
    }

    /// Says how the program ends and ends it. What it answers, such as help, is lost like any other answer where it
    /// cannot be written, and the exit status tells.
    package static func end(with error: any Error) -> Never {
        if let error = error as? OutputError, error.isUnread { exit(withError: ExitCode.failure) }
        guard exitCode(for: error).isSuccess else { exit(withError: error) }
        let text = fullMessage(for: error)
        do throws(OutputError) {
            if !text.isEmpty { try StandardOutput.write(text + "\n") }
        } catch {
            exit(withError: error.isUnread ? ExitCode.failure : error)
        }
        exit()
    }
}
