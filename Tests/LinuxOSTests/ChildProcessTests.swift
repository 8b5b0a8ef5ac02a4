import LinuxOS
import NetTypes
import TestKit
import Testing

@Suite("A child process")
struct ChildProcessTests {
    static func run(
        _ script: String, environment: [String: String] = [:], input: String = "", limit: Int = 1 << 20,
        timeout: Duration = .seconds(20),
    ) throws -> ChildProcess.Ending {
        let directory = try TemporaryDirectory()
        let path = try directory.makeProgram("program", "#!/bin/sh\n\(script)\n")
        defer { withExtendedLifetime(directory) {} }
        return try ChildProcess.run(
            path, environment: environment, input: Array(input.utf8), outputLimit: limit,
            until: BootClock.now() + timeout)
    }

    @Test("It reads its input, writes its output and has just the environment it is given")
    func whole() throws {
        let ending = try Self.run("cat; echo \"$A:$HOME\"", environment: ["A": "b=c", "HOME": ""], input: "in ")
        #expect(String(decoding: ending.output, as: UTF8.self) == "in b=c:\n")
        #expect(ending.status == 0)
    }

    @Test("A megabyte each way is no reason to wait for each other")
    func large() throws {
        let input = String(repeating: "x", count: 1 << 20)
        let ending = try Self.run("/bin/cat", input: input)
        #expect(ending.output.count == input.utf8.count)
    }

    @Test("Its exit status, or its signal, is told")
    func endings() throws {
        #expect(try Self.run("exit 7").status == 7)
        let killed = try Self.run("kill -9 $$")
        #expect(killed.status == nil)
        #expect(killed.signal == 9)
    }

    @Test("It is killed at the deadline")
    func deadline() throws {
        let start = BootClock.now()
        let error = #expect(throws: SystemError.self) {
            try Self.run("exec /bin/sleep 30", timeout: .milliseconds(100))
        }
        #expect(error?.code == .ETIMEDOUT)
        #expect(BootClock.now() - start < .seconds(10))
    }

    @Test("What it leaves running, with its output in hand, holds nobody up")
    func grandchild() throws {
        let start = BootClock.now()
        let ending = try Self.run("/bin/sleep 5 & echo done")
        #expect(String(decoding: ending.output, as: UTF8.self) == "done\n")
        #expect(BootClock.now() - start < .seconds(4))
    }

    @Test("Too much output is an error, and so is a program that is not there")
    func errors() throws {
        let large = #expect(throws: SystemError.self) { try Self.run("/bin/cat", input: "1234567", limit: 6) }
        #expect(large?.code == .EFBIG)
        let absent = #expect(throws: SystemError.self) {
            try ChildProcess.run(
                "/nonexistent/program", environment: [:], input: [], outputLimit: 1,
                until: BootClock.now() + .seconds(1))
        }
        #expect(absent?.code == .ENOENT)
    }
}
