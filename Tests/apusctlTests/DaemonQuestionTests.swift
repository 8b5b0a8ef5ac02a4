import Foundation
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import Testing

@testable import apusctl

/// A daemon that refuses the first thing it is asked. What goes wrong here the client's side shows.
private final class RefusingDaemon: Sendable {
    private let listener: UnixListener

    init(_ listener: consuming UnixListener) { self.listener = listener }

    func serve(_ refusal: RemoteError) {
        let deadline = BootClock.now() + .seconds(5)
        guard let stream = try? listener.accept(deadline: deadline) else { return }
        var decoder = FrameDecoder()
        func answer(_ response: JSONValue) throws {
            while try decoder.nextMessage() == nil {
                let bytes = try stream.receive(limit: 100, deadline: deadline)
                if bytes.isEmpty { return }
                decoder.append(bytes)
            }
            try stream.send(FrameDecoder.encode(response), deadline: deadline)
        }
        do {
            let hello = Hello(node: "node1", bootID: try BootID.current(), netnsInode: try NetNS.current().inode)
            try answer(hello.json)
            try answer(Response(id: 1, result: .failure(refusal)).json)
            _ = try stream.receive(limit: 1, deadline: deadline)
        } catch {}
    }
}

/// A daemon with these peers, of which a page has three hundred.
private final class PeeredDaemon: Sendable {
    private let listener: UnixListener
    private let peers: [PeerStatus]

    init(_ listener: consuming UnixListener, _ peers: [PeerStatus]) {
        self.listener = listener
        self.peers = peers
    }

    /// Serves two connections: that of the status, and that of the pages.
    func serve() {
        let deadline = BootClock.now() + .seconds(10)
        for _ in 0..<2 {
            guard let stream = try? listener.accept(deadline: deadline) else { return }
            try? serve(stream, deadline)
        }
    }

    private func serve(_ stream: borrowing UnixStream, _ deadline: MonotonicTime) throws {
        var (decoder, isGreeted) = (FrameDecoder(), false)
        while case let bytes = try stream.receive(limit: 1000, deadline: deadline), !bytes.isEmpty {
            decoder.append(bytes)
            while let message = try decoder.nextMessage() {
                var answer = message
                if isGreeted {
                    let request = try Request(json: message)
                    answer = Response(id: request.id, result: .success(members(for: request.operation))).json
                }
                isGreeted = true
                try stream.send(FrameDecoder.encode(answer), deadline: deadline)
            }
        }
    }

    private func members(for operation: Request.Operation) -> JSONObject {
        if case .page(.bgp(.states), let from) = operation {
            let end = min(from + 300, peers.count)
            return PageAnswer(items: peers[from..<end].map(\.json), next: end == peers.count ? nil : end).members
        }
        let node = NodeStatus(name: "node1", asNumber: ASNumber(64512), routerID: "192.0.2.1", startedAt: 0)
        return StatusAnswer(node: node, peers: peers).members
    }
}

struct DaemonQuestionTests {
    @Test("A status has every peer, however many there are")
    func manyPeers() throws {
        let directory = "/tmp/apus-ctl-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let peers = (0..<10_000).map { index in
            PeerStatus(
                address: "10.0.\(index >> 8).\(index & 255)", family: .ipv4, type: "node-to-node mesh", state: "up",
                since: 0, info: "Established", asNumber: ASNumber(64512), node: "node\(index)")
        }
        let daemon = PeeredDaemon(try UnixListener.bind(RunDirectory.socketPath(in: directory)), peers)
        Thread.detachNewThread { daemon.serve() }
        var options = DaemonOptions()
        options.runDirectory = directory
        #expect(try StatusAnswer(DaemonQuestion(options).status()).peers == peers)
    }

    @Test("a refused page is the daemon's own words, as any refused question is", arguments: [true, false])
    func refusal(isPage: Bool) throws {
        let directory = "/tmp/apus-ctl-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = RunDirectory.socketPath(in: directory)
        try FileManager.default.createDirectory(
            atPath: String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)),
            withIntermediateDirectories: true)
        let daemon = RefusingDaemon(try UnixListener.bind(path))
        let refusal = RemoteError(code: 7, message: "192.0.2.1 is no BGP peer of this node")
        Thread.detachNewThread { daemon.serve(refusal) }
        var options = DaemonOptions()
        options.runDirectory = directory
        let question = DaemonQuestion(options)
        let peer = try #require(IPAddress("192.0.2.1"))
        let failure = #expect(throws: CommandFailure.self) {
            if isPage {
                try question.table(.bgp(.received(peer, within: nil))) { _ in }
            } else {
                _ = try question.ask(.refresh(PeerRefresh(peer: peer, direction: .incoming)))
            }
        }
        #expect(failure?.description == "apusd refused: 192.0.2.1 is no BGP peer of this node (code 7)")
    }
}
