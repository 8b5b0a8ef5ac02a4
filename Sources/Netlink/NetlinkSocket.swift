import CLibNL
import Glibc
package import LinuxOS
import NetTypes

/// A routing socket to the kernel (rtnetlink(7)) over libnl-3: changes with their answers, and dumps.
///
/// It belongs to the network namespace its thread was in when it was opened, and works on that one for good: opened
/// within `NetNS.within`, it may be used outside. Every call blocks until the kernel has answered or the deadline is
/// over. Not for more than one thread at a time.
package struct NetlinkSocket: ~Copyable {
    /// How long the kernel may take to answer; it can wait for others' work on links.
    package var timeout: Duration

    private var handle: NetlinkHandle
    private var sequence: UInt32 = 0

    /// How often a dump that others' changes cut across is begun again.
    private static let dumpAttempts = 16

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// - Parameter isForFew: whether it is for a few requests, which take no large buffers.
    package init(timeout: Duration = .seconds(10), isForFew: Bool = false) throws(NetlinkError) {
        self.timeout = timeout
        // An error's answer costs some 830 octets of the buffer; a chunk of 64 KiB that fails whole must fit.
        handle = try NetlinkHandle(receiveBufferBytes: isForFew ? nil : 2 << 20)
    }

    /// Opens a socket for questions about sockets (sock_diag(7)) in the calling thread's network namespace.
    init(diagnosing timeout: Duration) throws(NetlinkError) {
        self.timeout = timeout
        handle = try NetlinkHandle(receiveBufferBytes: nil, family: NETLINK_SOCK_DIAG)
    }

    /// Opens a socket for questions about netfilter's rules in the calling thread's network namespace.
    init(filtering timeout: Duration) throws(NetlinkError) {
        self.timeout = timeout
        handle = try NetlinkHandle(receiveBufferBytes: nil, family: NETLINK_NETFILTER)
    }

    /// Who the socket is to the kernel: its own changes come back to listeners under this name.
    package var port: NetlinkPort { handle.port }

    /// The socket's descriptor.
    var descriptor: Int32 { handle.descriptor }

    /// Carries out one request.
    package mutating func execute(_ request: NetlinkRequest) throws(NetlinkError) {
        let failures = try execute(NetlinkBatch([request]), acknowledgeEach: true)
        if let failure = failures.first { throw failure.error }
    }

    /// Carries out requests in order.
    ///
    /// - Parameter acknowledgeEach: whether the kernel answers every request, or errors only and the end of each
    ///   chunk: the form for thousands of routes.
    /// - Returns: the requests that failed, in order; the others are done.
    /// - Throws: when the socket itself fails. After `isOverrun` or `ETIMEDOUT` it is unknown which requests were
    ///   carried out: dump.
    package mutating func execute(
        _ batch: NetlinkBatch, acknowledgeEach: Bool,
    ) throws(NetlinkError) -> [NetlinkFailure] {
        let acknowledge = acknowledgeEach ? NLM_F_ACK : 0
        var message = try NetlinkMessage()
        var chunk = NetlinkChunk(firstSequence: sequence &+ 1)
        var failures: [NetlinkFailure] = []
        func describe(_ index: Int) -> (NetlinkOperation, String) {
            (batch.requests[index].operation, batch.requests[index].object)
        }
        for (index, request) in batch.requests.enumerated() {
            request.write(to: &message)
            guard !message.isOverfull else {
                failures.append(.init(index: index, error: .init(request.operation, request.object, .EMSGSIZE)))
                continue
            }
            if chunk.datagram.count + message.length > chunkBytes {
                failures += try flush(chunk, acknowledgeEach: acknowledgeEach, describe)
                chunk = NetlinkChunk(firstSequence: sequence &+ 1)
            }
            sequence &+= 1
            message.append(to: &chunk.datagram, sequence: sequence, flags: acknowledge)
            chunk.indices.append(index)
        }
        failures += try flush(chunk, acknowledgeEach: acknowledgeEach, describe)
        return failures.sorted { $0.index < $1.index }
    }

    /// Asks for one object.
    mutating func fetch<Value>(
        _ query: consuming NetlinkMessage, _ operation: NetlinkOperation, _ object: String,
        decode: (RawSpan) -> Value?,
    ) throws(NetlinkError) -> Value? {
        sequence &+= 1
        let mine = sequence
        var datagram: [UInt8] = []
        query.append(to: &datagram, sequence: mine, flags: NLM_F_ACK)
        try handle.send(datagram)
        let deadline = BootClock.now() + timeout
        var (value, isDone) = (Value?.none, false)
        while !isDone {
            try handle.receive(until: deadline, orThrow: { $0 }) { header, payload throws(NetlinkError) in
                guard header.sequence == mine else { return }
                guard header.type == Int(NLMSG_ERROR) else {
                    value = decode(payload)
                    return
                }
                isDone = true
                let (code, text) = NetlinkReader.outcome(header, payload)
                if code.rawValue != 0 { throw NetlinkError(operation, object, code, kernelMessage: text) }
            }
        }
        return value
    }

    /// Asks for all objects the query names. A dump that changes cut across is begun again.
    mutating func dump<Value>(
        _ query: consuming NetlinkMessage, _ operation: NetlinkOperation, _ object: String,
        decode: (RawSpan) -> Value?,
    ) throws(NetlinkError) -> [Value] {
        for attempt in 0..<Self.dumpAttempts {
            if attempt >= 2 {
                var pause = timespec(tv_sec: 0, tv_nsec: Self.pauseNanoseconds(before: attempt))
                // SAFETY: the structure outlives the call; a pause cut short by a signal does no harm.
                _ = unsafe nanosleep(&pause, nil)
            }
            if let values = try dumpOnce(query, operation, object, decode) { return values }
        }
        throw NetlinkError(
            operation, object, .EAGAIN, kernelMessage: "the dump was interrupted \(Self.dumpAttempts) times")
    }

    /// From the third attempt on there is a pause, twice as long each time, up to 32 ms: who changes much is done then.
    static func pauseNanoseconds(before attempt: Int) -> Int {
        attempt < 2 ? 0 : 1_000_000 << min(attempt - 2, 5)
    }

    /// One attempt; nil when it was interrupted.
    private mutating func dumpOnce<Value>(
        _ query: borrowing NetlinkMessage, _ operation: NetlinkOperation, _ object: String,
        _ decode: (RawSpan) -> Value?,
    ) throws(NetlinkError) -> [Value]? {
        sequence &+= 1
        let mine = sequence
        var datagram: [UInt8] = []
        query.append(to: &datagram, sequence: mine, flags: NLM_F_DUMP)
        try handle.send(datagram)
        let deadline = BootClock.now() + timeout
        var values: [Value] = []
        var (isDone, isInterrupted) = (false, false)
        while !isDone {
            try handle.receive(until: deadline, orThrow: { $0 }) { header, payload throws(NetlinkError) in
                guard header.sequence == mine else { return }
                if header.flags & NLM_F_DUMP_INTR != 0 { isInterrupted = true }
                guard header.type == Int(NLMSG_DONE) || header.type == Int(NLMSG_ERROR) else {
                    if let value = decode(payload) { values.append(value) }
                    return
                }
                isDone = true
                let (code, text) = NetlinkReader.outcome(header, payload)
                if code.rawValue != 0 { throw NetlinkError(operation, object, code, kernelMessage: text) }
            }
        }
        return isInterrupted ? nil : values
    }

    /// The most octets that go together. Without the large buffer the answers to 8 KiB are what surely fits.
    var chunkBytes: Int { handle.hasFullBuffer ? 64 << 10 : 8 << 10 }

    /// The number that the next message gets.
    var nextSequence: UInt32 { sequence &+ 1 }

    /// Gives a message its number.
    mutating func takeSequence() -> UInt32 {
        sequence &+= 1
        return sequence
    }

    /// Sends a chunk and collects its answers; `describe` says of a place what was asked and of what, for errors.
    mutating func flush(
        _ chunk: consuming NetlinkChunk, acknowledgeEach: Bool, _ describe: (Int) -> (NetlinkOperation, String),
    ) throws(NetlinkError) -> [NetlinkFailure] {
        guard !chunk.indices.isEmpty else { return [] }
        if !acknowledgeEach {
            // The kernel does nothing for NLMSG_NOOP but acknowledge it: all before it has been answered then.
            sequence &+= 1
            let header = nlmsghdr(
                nlmsg_len: UInt32(MemoryLayout<nlmsghdr>.size), nlmsg_type: UInt16(NLMSG_NOOP),
                nlmsg_flags: UInt16(NLM_F_REQUEST | NLM_F_ACK), nlmsg_seq: sequence, nlmsg_pid: 0)
            // SAFETY: the structure is plain octets without padding, copied at once.
            unsafe withUnsafeBytes(of: header) { unsafe chunk.datagram.append(contentsOf: $0) }
        }
        let (first, last) = (chunk.firstSequence, sequence)
        try handle.send(chunk.datagram)
        let deadline = BootClock.now() + timeout
        var failures: [NetlinkFailure] = []
        var (isDone, answers) = (false, 0)
        while !isDone {
            try handle.receive(until: deadline, orThrow: { $0 }) { header, payload throws(NetlinkError) in
                let place = Int(header.sequence &- first)
                // An answer to an earlier chunk, whose deadline had passed, is nobody's any more.
                guard header.type == Int(NLMSG_ERROR), place <= Int(last &- first) else { return }
                if header.sequence == last { isDone = true }
                answers += 1
                let (code, text) = NetlinkReader.outcome(header, payload)
                guard code.rawValue != 0, place < chunk.indices.count else { return }
                let index = chunk.indices[place]
                let (operation, object) = describe(index)
                let error = NetlinkError(operation, object, code, kernelMessage: text)
                failures.append(NetlinkFailure(index: index, error: error))
            }
        }
        guard !acknowledgeEach || answers == chunk.indices.count else {
            throw NetlinkError(.receive, "\(chunk.indices.count) answers, got \(answers)", .ENOBUFS)
        }
        return failures
    }
}

/// The messages of one datagram, and the request each of them stands for.
struct NetlinkChunk {
    let firstSequence: UInt32
    var datagram: [UInt8] = []
    var indices: [Int] = []
}
