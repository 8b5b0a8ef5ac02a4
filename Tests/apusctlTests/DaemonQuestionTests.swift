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

struct DaemonQuestionTests {
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
