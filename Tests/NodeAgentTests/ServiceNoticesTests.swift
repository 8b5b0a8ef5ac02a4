import Synchronization
import Testing

@testable import NodeAgent

@Suite("What the service manager is told")
struct ServiceNoticesTests {
    /// What was sent.
    private final class Sent: Sendable {
        private let notices = Mutex<[String]>([])
        func append(_ notice: String) { notices.withLock { $0.append(notice) } }
        var all: [String] { notices.withLock { $0 } }
    }

    @Test("the daemon is ready with the last of its parts, once, whatever comes again")
    func ready() {
        let sent = Sent()
        let notices = ServiceNotices(awaiting: [.configuration, .socket, .callSocket]) { sent.append($0) }
        notices.has(.socket)
        notices.has(.socket)
        notices.has(.callSocket)
        #expect(sent.all == [])
        notices.has(.configuration)
        #expect(sent.all == ["READY=1"])
        notices.has(.configuration)
        notices.stopping()
        #expect(sent.all == ["READY=1", "STOPPING=1"])
    }

    @Test("a status is one line, so that it says nothing else, and is told when it is another")
    func status() {
        let sent = Sent()
        let notices = ServiceNotices(awaiting: []) { sent.append($0) }
        for text in ["no Node resource in /etc/a\nREADY=1", "node a", "node a"] { notices.status(text) }
        #expect(sent.all == ["STATUS=no Node resource in /etc/a READY=1", "STATUS=node a"])
    }
}
