package import LinuxOS

/// Why an answer did not reach the one who asked.
package struct OutputError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the kernel said.
    package let cause: SystemError

    /// Whether nobody reads any more, as after `| head`: there is nobody to be told either.
    package var isUnread: Bool { cause.code == .EPIPE }

    /// `the answer is lost: write standard output: No space left on device`.
    package var description: String { "the answer is lost: \(cause)" }
}

/// Where a program's answers go.
package enum StandardOutput {
    /// Writes text as it is.
    ///
    /// - Throws: `OutputError` when not all of it could be written: whoever reads it must not take it for the whole.
    package static func write(_ text: String) throws(OutputError) {
        do throws(SystemError) {
            try ProcessIO.writeStandardOutput(text)
        } catch {
            throw OutputError(cause: error)
        }
    }
}
