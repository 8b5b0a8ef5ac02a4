import LinuxOS
import Logging
import NetTypes
import NodeLink
import TestKit
import Testing

@testable import NodeAgent

@Suite("The node socket's server")
struct ControlServerTests {
    private static let hello = Hello(node: "node1", bootID: "boot", netnsInode: 1)

    /// Promptly answers `status`; `bgp` and the tables take a while, and an unknown operation is answered by another thread.
    private static func server(_ path: String) -> ControlServer {
        ControlServer(
            path: path, hello: hello,
            prompt: { operation, reply in
                switch operation {
                case .status: reply(.success(["how": "promptly"]))
                case .unknown(let name):
                    Task.detached {
                        try? await Task.sleep(for: .milliseconds(5))
                        reply(.failure(.unknownOperation(name)))
                    }
                default: return false
                }
                return true
            },
            responder: { operation in
                if case .get(.routes) = operation {
                    return .success(["items": .string(String(repeating: "x", count: 2 << 20))])
                }
                try? await Task.sleep(for: .milliseconds(5))
                return .success(["how": "slowly"])
            }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func isServed(_ path: String) async -> Bool {
        (try? UnixStream.connect(path, timeout: .milliseconds(100))) != nil
    }

    private static func serving(_ body: @Sendable @escaping (String) throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("apusd.sock")
        let server = server(path)
        let serving = Task { try await server.run() }
        #expect(try await eventually { await isServed(path) })
        try await OwnThread.run { try body(path) }
        serving.cancel()
        try await serving.value
    }

    @Test("Requests that come together are answered one by one in their order, whoever answers")
    func order() async throws {
        try await Self.serving { path in
            let deadline = BootClock.now() + .seconds(20)
            let client = try UnixStream.connect(path, timeout: .seconds(1))
            var sent = try FrameDecoder.encode(Self.hello.json)
            let operations: [Request.Operation] = [.get(.nodes), .status, .unknown("later"), .get(.blocks), .status]
            for id in 0..<200 {
                let request = Request(id: Int64(id), operation: operations[id % operations.count])
                sent += try FrameDecoder.encode(request.json)
            }
            // In pieces that end nowhere in particular.
            for start in stride(from: 0, to: sent.count, by: 97) {
                try client.send(Array(sent[start..<min(start + 97, sent.count)]), deadline: deadline)
            }
            var decoder = FrameDecoder()
            var answers: [Int64] = []
            var isGreeted = false
            while answers.count < 200 {
                while let json = try decoder.nextMessage() {
                    if isGreeted { answers.append(try Response(json: json).id) } else { _ = try Hello(json: json) }
                    isGreeted = true
                }
                if answers.count == 200 { break }
                let bytes = try client.receive(limit: 4096, deadline: deadline)
                try #require(!bytes.isEmpty)
                decoder.append(bytes)
            }
            #expect(answers == Array(0..<200))
        }
    }

    @Test("An answer that is too large is refused in words, and the connection goes on")
    func largeAnswer() async throws {
        try await Self.serving { path in
            var client = try NodeLinkClient(path: path, hello: Self.hello)
            guard case .failure(let refusal) = try client.call(.get(.routes)) else {
                Issue.record("it was sent")
                return
            }
            #expect(refusal.code == 5)
            guard case .success = try client.call(.status) else {
                Issue.record("no answer")
                return
            }
        }
    }

    @Test(
        "What is no message, no hello or another boot's hello ends the connection, and no other one",
        arguments: [
            [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 2, 0x7b, 0x7d], [0, 0, 0, 1, 0x21],
            Array("GET / HTTP/1.1\r\n\r\n".utf8),
        ] as [[UInt8]])
    func garbage(_ bytes: [UInt8]) async throws {
        try await Self.serving { path in
            let deadline = BootClock.now() + .seconds(20)
            var good = try NodeLinkClient(path: path, hello: Self.hello)
            let bad = try UnixStream.connect(path, timeout: .seconds(1))
            try bad.send(bytes, deadline: deadline)
            // The server's hello, and then the end.
            var chunk: [UInt8] = []
            repeat { chunk = (try? bad.receive(limit: 4096, deadline: deadline)) ?? [] } while !chunk.isEmpty
            guard case .success = try good.call(.status) else {
                Issue.record("no answer")
                return
            }
        }
    }

    @Test("Clients that go while somebody is at work for them do no harm")
    func impatience() async throws {
        try await Self.serving { path in
            for operation in [Request.Operation.get(.nodes), .unknown("later")] {
                for _ in 0..<50 {
                    var client = try NodeLinkClient(path: path, hello: Self.hello)
                    try client.ask(operation)
                    try client.tell(.status)
                }
            }
            var client = try NodeLinkClient(path: path, hello: Self.hello)
            guard case .success = try client.call(.status) else {
                Issue.record("no answer")
                return
            }
        }
    }
}
