import Glibc
import LinuxOS

/// A directory of a test's own, removed with all that is in it at the end of the value's life.
package struct TemporaryDirectory: ~Copyable, Sendable {
    /// The path.
    package let path: String

    /// Makes one, mode 0700.
    package init() throws {
        var template = Array("/tmp/apus-test-XXXXXX".utf8CString)
        // SAFETY: mkdtemp changes the array's octets in place.
        guard unsafe mkdtemp(&template) != nil else { throw SystemError("mkdtemp", "/tmp", .last) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// The path of a name in it.
    package borrowing func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes an executable file in it. It is written by another process: a program that is started at the same time by
    /// this one would have the open file for a moment, and nobody can execute what somebody may write to.
    ///
    /// - Returns: its path.
    package borrowing func makeProgram(_ name: String, _ text: String) throws -> String {
        let path = file(name)
        try Command.run(["/bin/sh", "-c", "printf %s \"$1\" > \"$2\" && chmod 0755 \"$2\"", "sh", text, path])
        return path
    }

    private static func remove(_ path: String) {
        for name in (try? Files.list(path)) ?? [] {
            let inner = "\(path)/\(name)"
            // Never through a symbolic link: unlink removes the link itself, and fails for a directory alone.
            if (try? Files.remove(inner)) == nil { remove(inner) }
        }
        _ = try? Files.removeDirectory(path)
    }
}
