import LinuxOS
import Logging
import NetTypes
import NodeLink

/// The thread that serves the clients of one bound socket: it accepts, reads and has answered what is asked. It waits for
/// nothing but the sockets.
///
/// A connection of the CNI executable lives for a millisecond. One thread that does it all costs a third of what a
/// pipeline and a task for each of them did (docs/adr/0054).
struct ControlLoop: ~Copyable {
    /// The longest wait for a client's hello.
    private static let helloTimeout = Duration.seconds(2)
    /// The longest silence of a client after that. An answer may take ten seconds.
    private static let idleTimeout = Duration.seconds(60)
    /// How long to leave clients waiting when there is no room for another.
    private static let acceptPause = Duration.milliseconds(100)
    /// How many clients are taken before the others are looked at again.
    private static let acceptedTogether = 16
    private static let listenerToken: UInt64 = 0
    private static let inboxToken: UInt64 = 1

    private struct Client {
        let connection: ControlConnection
        /// What is waited for; nil when the client has gone and somebody is still at work for it.
        var interest: EventPoll.Interest?
        var deadline: MonotonicTime
        /// Whether it is known that somebody is at work on an answer.
        var awaitsAnswer = false
    }

    private let socket: ControlSocket
    private let poll: EventPoll
    private let inbox: ControlInbox
    private let server: ControlServer
    private let answer: (ControlConnection, Request) -> Void
    private var clients: [UInt64: Client] = [:]
    private var lastToken = Self.inboxToken
    /// When the next client's time may be over; it may be earlier than it is.
    private var nextLook: MonotonicTime?
    private var acceptsAgainAt: MonotonicTime?
    /// That there is no room for clients.
    private var shortage = Outage()

    /// Prepares to serve.
    ///
    /// - Parameter answer: has a request answered, now or later, without waiting.
    init(
        _ socket: ControlSocket, inbox: ControlInbox, server: ControlServer,
        answer: @escaping (ControlConnection, Request) -> Void,
    ) throws(SystemError) {
        let poll = try EventPoll()
        try poll.add(socket.listener.descriptor.rawValue, .readable, token: Self.listenerToken)
        try poll.add(inbox.descriptor, .readable, token: Self.inboxToken)
        self.poll = poll
        self.socket = socket
        self.inbox = inbox
        self.server = server
        self.answer = answer
    }

    /// Serves until the inbox says stop. All connections are closed then.
    ///
    /// - Throws: when waiting itself fails.
    consuming func run() throws(SystemError) {
        defer { for client in clients.values { client.connection.close() } }
        while true {
            var mustAccept = false
            for event in try poll.wait(until: nextMoment) {
                switch event.token {
                case Self.listenerToken: mustAccept = true
                case Self.inboxToken:
                    let messages = inbox.take()
                    if messages.isStopped { return }
                    for token in messages.tokens { attend(token) }
                default: attend(event.token, hasGone: event.hasEnded)
                }
            }
            // After the others: who has gone makes room.
            if mustAccept { acceptSome() }
            lookAtClock()
        }
    }

    private var nextMoment: MonotonicTime? {
        guard let acceptsAgainAt else { return nextLook }
        return nextLook.map { min($0, acceptsAgainAt) } ?? acceptsAgainAt
    }

    private mutating func acceptSome() {
        do throws(SystemError) {
            for _ in 0..<Self.acceptedTogether {
                guard let stream = try socket.listener.acceptNow() else { return }
                accept(stream)
            }
        } catch {
            // The clients stay in the queue, and the socket stays ready: it is not asked for a moment.
            let now = BootClock.now()
            if shortage.begins(at: now) {
                server.logger.error("no room for another client; trying again", metadata: ["reason": "\(error)"])
            }
            acceptsAgainAt = now + Self.acceptPause
            try? poll.change(socket.listener.descriptor.rawValue, [], token: Self.listenerToken)
        }
    }

    private mutating func accept(_ stream: consuming UnixStream) {
        guard clients.count < server.connectionLimit else { return }
        do {
            let user = try stream.peerCredentials().userID
            guard user == 0 else {
                server.logger.warning("client refused", metadata: ["uid": "\(user)"])
                return
            }
            lastToken += 1
            let connection = try ControlConnection(
                stream, token: lastToken, hello: server.hello, inbox: inbox, logger: server.logger)
            guard let descriptor = connection.descriptor else { return }
            try poll.add(descriptor, .readable, token: lastToken)
            let deadline = BootClock.now() + Self.helloTimeout
            clients[lastToken] = Client(connection: connection, interest: .readable, deadline: deadline)
            nextLook = nextLook.map { min($0, deadline) } ?? deadline
            // Most clients have said hello before anybody looks.
            attend(lastToken)
        } catch {
            server.logger.debug("client connection ended", metadata: ["reason": "\(error)"])
        }
    }

    /// Lets a connection go on as far as it goes.
    ///
    /// - Parameter hasGone: whether the client is there no more. What it has said before is carried out all the same.
    private mutating func attend(_ token: UInt64, hasGone: Bool = false) {
        guard var client = clients[token] else { return }
        let connection = client.connection
        var next = connection.advance(server.hello) { answer(connection, $0) }
        if case .answer = next, client.awaitsAnswer || hasGone, !connection.mute() {
            // The answer came just now.
            next = connection.advance(server.hello) { answer(connection, $0) }
        }
        let interest: EventPoll.Interest?
        switch next {
        case .readable: interest = .readable
        case .writable: interest = .writable
        // Most clients say nothing more before they are answered. One that does is not listened to until then.
        case .answer: interest = hasGone ? nil : client.awaitsAnswer ? [] : .readable
        case .end: return end(token)
        }
        if case .answer = next { client.awaitsAnswer = true } else { client.awaitsAnswer = false }
        guard wait(for: interest, &client) else { return end(token) }
        if connection.takeSpoken(), connection.isGreeted { client.deadline = BootClock.now() + Self.idleTimeout }
        clients[token] = client
    }

    private func wait(for interest: EventPoll.Interest?, _ client: inout Client) -> Bool {
        guard interest != client.interest else { return true }
        let token = client.connection.token
        guard let descriptor = client.connection.descriptor else { return false }
        do throws(SystemError) {
            switch (client.interest, interest) {
            case (_, nil): try poll.remove(descriptor)
            case (nil, let interest?): try poll.add(descriptor, interest, token: token)
            case (_, let interest?): try poll.change(descriptor, interest, token: token)
            }
            client.interest = interest
            return true
        } catch {
            server.logger.error("a client cannot be waited for", metadata: ["reason": "\(error)"])
            return false
        }
    }

    private mutating func end(_ token: UInt64) {
        clients.removeValue(forKey: token)?.connection.close()
    }

    /// Ends those whose time is over, and accepts again after a pause.
    private mutating func lookAtClock() {
        guard let moment = nextMoment else { return }
        let now = BootClock.now()
        guard now >= moment else { return }
        if let again = acceptsAgainAt, now >= again {
            acceptsAgainAt = nil
            try? poll.change(socket.listener.descriptor.rawValue, .readable, token: Self.listenerToken)
        }
        for (token, client) in clients where client.deadline <= now { end(token) }
        nextLook = clients.values.map(\.deadline).min()
    }
}
