import BGPSession
import BGPWire
import NetTypes

/// Two sessions and the network between them, in memory: connections with latency, sockets that close or die silently,
/// timers, and a clock that jumps from event to event.
struct SessionLab {
    /// One end of a connection.
    struct End: Hashable {
        let node: Int
        let id: ConnectionID
    }

    private struct Pending {
        let at: MonotonicTime
        let order: Int
        let end: End
        let event: SessionEvent
    }

    private(set) var sessions: [PeerSession]
    private(set) var now = MonotonicTime(nanoseconds: 0)
    /// Every effect of a node, in order.
    private(set) var log: [[SessionEffect]] = [[], []]
    /// How long a packet takes, drawn anew for each.
    var latency: () -> Duration
    /// Whether packets pass at all.
    var isConnected = true
    private var queue: [Pending] = []
    private var order = 0
    private var serial: UInt64 = 0
    private var timers: [[TimerKind: SessionTimer]] = [[:], [:]]
    private var peers: [End: End] = [:]
    private var open: Set<End> = []
    private var lastArrival: [End: MonotonicTime] = [:]

    init(_ first: PeerConfiguration, _ second: PeerConfiguration, latency: @escaping () -> Duration) {
        sessions = [PeerSession(configuration: first), PeerSession(configuration: second)]
        self.latency = latency
    }

    func state(_ node: Int) -> SessionStateName { sessions[node].status.state }

    func losses(_ node: Int) -> [SessionLoss] {
        log[node].compactMap { if case .sessionLost(let loss) = $0 { loss } else { nil } }
    }

    func establishments(_ node: Int) -> [Negotiated] {
        log[node].compactMap { if case .establish(let negotiated) = $0 { negotiated } else { nil } }
    }

    /// Whether both sides are up on the two ends of one connection, and no other connection is left.
    var isConverged: Bool {
        guard let first = sessions[0].status.negotiated, let second = sessions[1].status.negotiated else {
            return false
        }
        let end = End(node: 0, id: first.connection)
        return open.count == 2 && open.contains(end) && peers[end] == End(node: 1, id: second.connection)
    }

    mutating func handle(_ event: SessionEvent, at node: Int) {
        let effects = sessions[node].handle(event, at: now)
        log[node] += effects
        for effect in effects { carryOut(effect, of: node) }
    }

    /// The process of a node dies. With `silently` not even the kernel says so to the peer, as when the host dies.
    mutating func replace(_ node: Int, by configuration: PeerConfiguration, silently: Bool) {
        for end in open.filter({ $0.node == node }) {
            open.remove(end)
            guard let peer = peers.removeValue(forKey: end) else { continue }
            peers[peer] = nil
            if !silently { deliver(.tcpClosed(peer.id, reason: "reset"), to: peer) }
        }
        timers[node] = [:]
        queue.removeAll { $0.end.node == node }
        sessions[node] = PeerSession(configuration: configuration)
    }

    /// Runs until nothing happens before the time is over.
    mutating func run(for duration: Duration) {
        let end = now + duration
        while step(before: end) {}
        now = end
    }

    /// Runs until a condition holds; whether it came to hold in time.
    mutating func run(for duration: Duration, until condition: (SessionLab) -> Bool) -> Bool {
        let end = now + duration
        while !condition(self) {
            guard step(before: end) else { return false }
        }
        return true
    }

    private mutating func step(before end: MonotonicTime) -> Bool {
        let packet = queue.indices.min { (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order) }
        var timer: (node: Int, timer: SessionTimer)?
        for node in 0...1 {
            let first = timers[node].values.min { ($0.deadline, $0.token) < ($1.deadline, $1.token) }
            if let first, first.deadline < timer?.timer.deadline ?? MonotonicTime(nanoseconds: .max) {
                timer = (node, first)
            }
        }
        if let packet, queue[packet].at <= timer?.timer.deadline ?? queue[packet].at {
            guard queue[packet].at <= end else { return false }
            let pending = queue.remove(at: packet)
            now = pending.at
            if case .tcpClosed = pending.event { open.remove(pending.end) }
            handle(pending.event, at: pending.end.node)
            return true
        }
        guard let (node, due) = timer, due.deadline <= end else { return false }
        now = due.deadline
        timers[node][due.kind] = nil
        handle(.timerFired(due.kind, token: due.token), at: node)
        return true
    }

    private mutating func carryOut(_ effect: SessionEffect, of node: Int) {
        switch effect {
        case .connect(let id): connect(End(node: node, id: id))
        case .close(let id):
            let end = End(node: node, id: id)
            open.remove(end)
            if let peer = peers[end] { deliver(.tcpClosed(peer.id, reason: "closed by the peer"), to: peer) }
        case .send(let id, let message):
            guard let peer = peers[End(node: node, id: id)] else { return }
            deliver(.messageReceived(peer.id, message), to: peer)
        case .startTimer(let timer): timers[node][timer.kind] = timer
        case .stopTimer(let kind): timers[node][kind] = nil
        case .establish, .deliver, .deliverRefresh, .sessionLost, .sweepStale, .keepStaleLong, .changedState:
            break
        }
    }

    /// A handshake of three packets: the far end exists first, the near one a packet later.
    private mutating func connect(_ end: End) {
        guard isConnected else { return }
        serial += 1
        let far = End(node: 1 - end.node, id: .incoming(serial))
        if sessions[far.node].status.state == .idle {
            enqueue(.tcpConnectFailed(end.id, reason: "refused"), to: end, at: now + latency())
            return
        }
        peers[end] = far
        peers[far] = end
        open.formUnion([end, far])
        let accepted = now + latency()
        enqueue(.tcpConnected(far.id), to: far, at: accepted)
        enqueue(.tcpConnected(end.id), to: end, at: accepted + latency())
    }

    /// Queues what one end sends for the other, never before what went ahead of it.
    private mutating func deliver(_ event: SessionEvent, to end: End) {
        guard isConnected else { return }
        enqueue(event, to: end, at: now + latency())
    }

    private mutating func enqueue(_ event: SessionEvent, to end: End, at time: MonotonicTime) {
        let arrival = max(time, lastArrival[end] ?? time)
        lastArrival[end] = arrival
        order += 1
        queue.append(Pending(at: arrival, order: order, end: end, event: event))
    }
}

/// SplitMix64 with a seed: what the lab draws its latencies from.
final class Dice {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    func next(below bound: UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return (value ^ (value >> 31)) % bound
    }
}
