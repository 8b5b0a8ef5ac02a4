import Foundation
import LinuxOS
import NetTypes
import NodeLink
import Testing

/// What a daemon of the test's own does with one connection.
private enum Daemon: Sendable {
    case answers(Hello, Response)
    case saysHello(Hello)
    case sends([UInt8])
    case isSilent

    var answersInTime: Bool { if case .isSilent = self { false } else { true } }
}

/// Serves one connection. What goes wrong here the client's side shows.
private final class Listener: Sendable {
    private let listener: UnixListener

    init(_ listener: consuming UnixListener) { self.listener = listener }

    func serve(_ behaviour: Daemon) {
        let deadline = BootClock.now() + .seconds(5)
        guard let stream = try? listener.accept(deadline: deadline) else { return }
        var decoder = FrameDecoder()
        func awaitMessage() throws {
            while try decoder.nextMessage() == nil {
                let bytes = try stream.receive(limit: 100, deadline: deadline)
                if bytes.isEmpty { return }
                decoder.append(bytes)
            }
        }
        do {
            try awaitMessage()
            switch behaviour {
            case .answers(let hello, let response):
                try stream.send(FrameDecoder.encode(hello.json), deadline: deadline)
                try awaitMessage()
                try stream.send(FrameDecoder.encode(response.json), deadline: deadline)
            case .saysHello(let hello):
                try stream.send(FrameDecoder.encode(hello.json), deadline: deadline)
                try awaitMessage()
                return
            case .sends(let bytes): try stream.send(bytes, deadline: deadline)
            case .isSilent: break
            }
            // Until the client hangs up.
            _ = try stream.receive(limit: 1, deadline: deadline)
        } catch {}
    }
}

@Suite struct ClientTests {
    private static let own = Hello(node: "", bootID: "b", netnsInode: 5)
    private static let daemon = Hello(node: "node1", bootID: "b", netnsInode: 5)

    private func path() -> String { "/tmp/apus-link-\(UInt64.random(in: 0 ... .max)).sock" }

    /// Runs one call against a daemon that behaves so, on a thread of its own: every call here blocks.
    private func call(_ behaviour: Daemon) throws -> Result<JSONObject, RemoteError> {
        let path = path()
        defer { _ = try? Files.remove(path) }
        let listener = try UnixListener.bind(path)
        let user = try #require(try FileStatus.of(path)).owner
        let server = Listener(listener)
        Thread.detachNewThread { server.serve(behaviour) }
        let timeout = Duration.milliseconds(behaviour.answersInTime ? 5000 : 50)
        var client = try NodeLinkClient(path: path, hello: Self.own, peerUserID: user, helloTimeout: timeout)
        return try client.call(.status, timeout: timeout)
    }

    @Test("A call is answered, and a refusal is a value")
    func answered() throws {
        let ok = try call(.answers(Self.daemon, Response(id: 1, result: .success(["x": 1]))))
        #expect(ok == .success(["x": 1]))
        let refusal = RemoteError(code: 100, message: "full")
        #expect(try call(.answers(Self.daemon, Response(id: 1, result: .failure(refusal)))) == .failure(refusal))
    }

    @Test("Nobody at the path, and a socket that a dead daemon left, are absence")
    func absent() throws {
        let path = path()
        let missing = #expect(throws: NodeLinkError.self) { _ = try NodeLinkClient(path: path, hello: Self.own) }
        #expect(missing?.isAbsence == true)
        do { _ = try UnixListener.bind(path) }
        defer { _ = try? Files.remove(path) }
        let dead = #expect(throws: NodeLinkError.self) { _ = try NodeLinkClient(path: path, hello: Self.own) }
        #expect(dead?.isAbsence == true)
        #expect(dead?.description.hasPrefix("apusd is not reachable at \(path)") == true)
    }

    @Test("A daemon of another user is refused")
    func foreignUser() throws {
        let path = path()
        let listener = try UnixListener.bind(path)
        defer { _ = try? Files.remove(path) }
        let user = try #require(try FileStatus.of(path)).owner
        let error = #expect(throws: NodeLinkError.self) {
            _ = try NodeLinkClient(path: path, hello: Self.own, peerUserID: user + 1)
        }
        #expect(error?.description.contains("runs as user \(user), not \(user + 1)") == true)
        #expect(error?.isAbsence == false)
        _ = listener.path
    }

    @Test("A silent daemon is absence; one of another boot, of wrong bytes or of the wrong id is not")
    func misbehaving() throws {
        func failure(_ behaviour: Daemon) -> NodeLinkError? {
            do {
                let answer = try call(behaviour)
                Issue.record("answered: \(answer)")
                return nil
            } catch {
                return error as? NodeLinkError
            }
        }
        #expect(failure(.isSilent)?.isAbsence == true)
        #expect(failure(.saysHello(Self.daemon))?.isAbsence == true)
        let other = Hello(node: "node1", bootID: "c", netnsInode: 5)
        #expect(
            failure(.saysHello(other))?.description
                == "apusd at the socket is not to be used: it lives in another boot (c, not b)")
        #expect(failure(.sends([255, 255, 255, 255]))?.isAbsence == false)
        #expect(failure(.sends([0, 0, 0, 1, 0x7b]))?.isAbsence == false)
        let wrong = failure(.answers(Self.daemon, Response(id: 9, result: .success([:]))))
        #expect(wrong?.description == "malformed message: answer 9 to request 1")
    }
}
