import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import NodeAgent

@Suite("A peer's connection")
struct PeerConnectionTests {
    /// Keeps what is read.
    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let octets = Mutex<[UInt8]>([])

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = Self.unwrapInboundIn(data)
            octets.withLock { $0 += buffer.readableBytesView }
        }
    }

    private static let octetsPerWrite = 50_000
    private static let count = 400

    @Test("what the kernel takes at once and what it takes later comes in the order it was sent in")
    func order() async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let collector = Collector()
        let accepted = loops.next().makePromise(of: (any Channel).self)
        let server = try await ServerBootstrap(group: loops)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                accepted.succeed(channel)
                return channel.pipeline.addHandler(collector)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let near = try await ClientBootstrap(group: loops).connect(to: try #require(server.localAddress)).get()
        let far = try await accepted.futureResult.get()

        // Twenty megabytes to somebody who does not read: some of it has to wait.
        let atOnce = try await near.eventLoop.submit {
            let connection = PeerConnection(near)
            var atOnce = 0
            for number in 0..<Self.count {
                let octets = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: Self.octetsPerWrite)
                let rest = connection.sendNow(ByteBuffer(bytes: octets))
                if rest.readableBytes == 0 {
                    atOnce += 1
                } else {
                    connection.waitingWrites += 1
                    near.writeAndFlush(rest, promise: nil)
                }
            }
            return atOnce
        }.get()
        #expect(atOnce > 0 && atOnce < Self.count)

        try await far.setOption(.autoRead, value: true).get()
        let total = Self.count * Self.octetsPerWrite
        let hasCome = try await eventually { () async throws -> Bool in
            collector.octets.withLock { $0.count } >= total
        }
        #expect(hasCome)
        let received = collector.octets.withLock(\.self)
        #expect(received.count == total)
        #expect(received.indices.allSatisfy { received[$0] == UInt8(truncatingIfNeeded: $0 / Self.octetsPerWrite) })

        // The number may be another socket's by now.
        let left = try await near.eventLoop.submit {
            let connection = PeerConnection(near)
            near.close(promise: nil)
            return connection.sendNow(ByteBuffer(bytes: [1, 2])).readableBytes
        }.get()
        #expect(left == 2)
        try await server.close()
        try await loops.shutdownGracefully()
    }
}
