import Glibc
import NetTypes
import TestKit
import Testing

@testable import LinuxOS

extension PacketStream {
    /// Connects; each call on the connection may take so long.
    fileprivate static func connect(_ path: String, timeout: Duration) throws(SystemError) -> PacketStream {
        let stream = PacketStream(socket: try UnixAddress.packetSocket(path), path: path)
        try stream.setTimeout(timeout)
        if let code = unsafe try UnixAddress.apply(Glibc.connect, stream.socket, path) {
            throw SystemError("connect", path, code)
        }
        return stream
    }
}

@Suite("Packet sockets")
struct PacketSocketTests {
    @Test("A packet arrives as one, with the descriptor that goes with it")
    func roundTrip() throws {
        try withPair { client, server in
            let home = try NetNS.current()
            try client.send([1, 2, 3], with: home.descriptor.rawValue)
            try client.send([4])
            let first = try server.receive(limit: 3)
            let bytes = first.bytes
            #expect(bytes == [1, 2, 3])
            if let descriptor = first.takeDescriptor() {
                let received = try NetNS.open(sharing: descriptor, name: "what came")
                #expect(received.inode == home.inode)
                #expect(descriptor.rawValue != home.descriptor.rawValue)
            } else {
                Issue.record("no descriptor came")
            }
            let second = try server.receive(limit: 3)
            let rest = second.bytes
            #expect(rest == [4])
            let hasDescriptor = second.takeDescriptor() != nil
            #expect(!hasDescriptor)
            let user = try server.peerCredentials().userID
            #expect(user == geteuid())
        }
    }

    @Test("A packet that is too long, a silent peer and one that has gone are told apart")
    func failures() throws {
        try withPair { client, server in
            try client.send([1, 2, 3])
            let long = code { () throws(SystemError) in _ = try server.receive(limit: 2) }
            #expect(long == .EMSGSIZE)
            try client.setTimeout(.milliseconds(10))
            let silent = code { () throws(SystemError) in _ = try client.receive(limit: 2) }
            #expect(silent == .EAGAIN)
            let isThere = !client.hasEnded()
            #expect(isThere)
        }
        try withPair { client, server in
            _ = consume server
            let hasEnded = client.hasEnded()
            #expect(hasEnded)
            let bytes = try client.receive(limit: 2).bytes
            #expect(bytes.isEmpty)
            let gone = code { () throws(SystemError) in try client.send([1]) }
            #expect(gone == .EPIPE)
        }
    }

    @Test("Who has sent a packet knows whether it has been received")
    func unread() throws {
        try withPair { client, server in
            let before = try client.hasUnreadOutput()
            #expect(!before)
            try client.send([1, 2, 3])
            let sent = try client.hasUnreadOutput()
            #expect(sent)
            _ = try server.receive(limit: 3).bytes
            let received = try client.hasUnreadOutput()
            #expect(!received)
        }
    }

    @Test("Who finishes sending is told from who has gone, and hears what is said after that")
    func finished() throws {
        try withPair { client, server in
            var states = [server.hasFinished(), server.hasEnded()]
            try client.finishSending()
            states += [server.hasFinished(), server.hasEnded()]
            #expect(states == [false, false, true, false])
            try server.send([5])
            let bytes = try client.receive(limit: 1).bytes
            #expect(bytes == [5])
        }
    }

    @Test("Nobody listens: that is said at once; a listener that is stopped lets go of all who wait")
    func stopped() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s")
        let nobody = code { () throws(SystemError) in _ = try PacketStream.connect(path, timeout: .seconds(1)) }
        #expect(nobody == .ENOENT)
        let listener = try PacketListener(path)
        async let first = OwnThread.run { try listener.accept() == nil }
        async let second = OwnThread.run { try listener.accept() == nil }
        listener.stop()
        let (one, other) = try await (first, second)
        #expect(one && other)
        let refused = code { () throws(SystemError) in _ = try PacketStream.connect(path, timeout: .seconds(1)) }
        #expect(refused == .ECONNREFUSED)
    }

    private func withPair(
        _ body: (borrowing PacketStream, consuming PacketStream) throws -> Void,
    ) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s")
        let listener = try PacketListener(path)
        let permissions = try FileStatus.of(path)?.permissions
        #expect(permissions == 0o600)
        let client = try PacketStream.connect(path, timeout: .seconds(5))
        guard let server = try listener.accept() else {
            Issue.record("nobody came")
            return
        }
        try body(client, server)
    }
}
