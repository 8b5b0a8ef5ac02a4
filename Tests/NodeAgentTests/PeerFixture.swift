import BGPSession
import BGPTable
import BGPWire
import Logging
import NIOCore
import NIOPosix
import NetTypes
import TestKit
import Testing

@testable import NodeAgent
@testable import Resources

/// A peer at 127.0.0.1 whose session is dialled and established over TCP; what it sends goes no further than the inbox.
struct PeerFixture {
    let peer: Peer
    let inbox: PeerInbox
    private let far: any Channel
    private let loops: MultiThreadedEventLoopGroup

    static let asNumber = ASNumber(64512)
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    static func settings(port: UInt16 = 179) throws -> NodeView.Peer {
        NodeView.Peer(
            address: try address("127.0.0.1"), port: port, asNumber: asNumber, kind: .global, nodeName: nil,
            resourceName: "peer", localAddress: nil, isRouteReflectorClient: false, nextHopMode: .auto,
            keepaliveTime: nil, maxRestartTime: .seconds(120))
    }

    /// Runs `body` with a session that is up.
    static func established(_ body: (PeerFixture) async throws -> Void) async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let accepted = loops.next().makePromise(of: (any Channel).self)
        let server = try await ServerBootstrap(group: loops)
            .childChannelInitializer { channel in
                accepted.succeed(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = UInt16(server.localAddress?.port ?? 0)
        let settings = try settings(port: port)
        var configuration = PeerConfiguration(
            localAS: asNumber, peerAS: asNumber, bgpID: try #require(RouterID("192.168.1.1")),
            peerAddress: settings.address)
        configuration.startDelay = .zero
        configuration.offersExtendedMessages = true
        let inbox = PeerInbox(eventLoop: loops.next())
        let peer = Peer(
            id: PeerID(1), incarnation: 1, settings: settings, configuration: configuration,
            roleTemplate: PeerRoleTemplate(localAS: asNumber, localNextHops: [:]),
            dialer: Dialer(eventLoop: loops.next()), inbox: inbox, logger: silent)
        await peer.start()
        let fixture = PeerFixture(peer: peer, inbox: inbox, far: try await accepted.futureResult.get(), loops: loops)
        let open = OpenMessage(
            asNumber: asNumber, holdTime: 90, bgpID: try #require(RouterID("192.168.1.2")),
            capabilities: [
                .multiprotocol(.ipv4Unicast), .fourOctetAS(asNumber), .routeRefresh, .extendedMessage,
            ])
        try await fixture.send(.open(open))
        try await fixture.send(.keepalive)
        #expect(try await eventually { await peer.negotiated != nil })
        try await body(fixture)
        await peer.stop(.restarting)
        try await server.close()
        try await loops.shutdownGracefully()
    }

    /// Sends messages from the far end, so often, and does not wait until the near one has read them.
    func send(_ message: BGPMessage, count: Int = 1) async throws {
        let context = WireContext(maximumMessageLength: WireContext.extendedMaximum, isIBGP: true)
        let bytes = ByteBuffer(bytes: message.encode(context))
        for _ in 0..<count { far.write(bytes, promise: nil) }
        far.flush()
    }
}
