import Glibc
import LinuxOS
import NetTypes
import TestKit
import Testing

@Suite("Unix sockets")
struct UnixSocketTests {
    @Test("What is sent arrives, and the peer is known by its numbers")
    func roundTrip() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s")
        let listener = try UnixListener.bind(path)
        let permissions = try FileStatus.of(path)?.permissions
        #expect(permissions == 0o600)
        let client = try UnixStream.connect(path, timeout: .milliseconds(100))
        let deadline = BootClock.now() + .seconds(5)
        let server = try listener.accept(deadline: deadline)
        let peer = try server.peerCredentials()
        #expect(peer.processID == getpid())
        #expect(peer.userID == geteuid())
        #expect(peer.groupID == getegid())
        try client.send([1, 2, 3, 4, 5], deadline: deadline)
        let first = try server.receive(exactly: 4, deadline: deadline)
        let rest = try server.receive(limit: 100, deadline: deadline)
        #expect(first == [1, 2, 3, 4])
        #expect(rest == [5])
    }

    @Test("Every wait ends at its deadline, and a peer that has gone is told from one that is silent")
    func deadlines() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s")
        let listener = try UnixListener.bind(path)
        let early = code { () throws(SystemError) in _ = try listener.accept(deadline: BootClock.now()) }
        #expect(early == .ETIMEDOUT)
        let client = try UnixStream.connect(path, timeout: .milliseconds(100))
        let soon = BootClock.now() + .milliseconds(20)
        let silent = code { () throws(SystemError) in _ = try client.receive(limit: 1, deadline: soon) }
        #expect(silent == .ETIMEDOUT)
        let stuck = code { () throws(SystemError) in
            try client.send([UInt8](repeating: 0, count: 16 << 20), deadline: BootClock.now() + .milliseconds(20))
        }
        #expect(stuck == .ETIMEDOUT)
        _ = consume listener
        let gone = code { () throws(SystemError) in
            _ = try client.receive(exactly: 1, deadline: BootClock.now() + .seconds(5))
        }
        #expect(gone == .ECONNRESET)
    }

    @Test("Nobody there, nobody listening and a path too long are three errors")
    func connectErrors() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s")
        func connect(_ path: String) -> SystemErrorCode? {
            code { () throws(SystemError) in _ = try UnixStream.connect(path, timeout: .milliseconds(50)) }
        }
        #expect(connect(path) == .ENOENT)
        do { _ = try UnixListener.bind(path) }
        #expect(connect(path) == .ECONNREFUSED)
        #expect(connect(directory.file(String(repeating: "x", count: 120))) == .ENAMETOOLONG)
    }
}
