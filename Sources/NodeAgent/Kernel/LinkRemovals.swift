import IPAMCore
import LinuxOS
import Logging
import NIOPosix
import NetTypes
import Netlink
import NodeLink
import NodeStore
import PodLinks
import PodPlan
import Synchronization

/// Deletes pods' links for the DELs that ask for it.
///
/// The kernel works on a deletion in two parts: it unlists the link under its lock on links, in about a millisecond,
/// and then waits for grace periods without the lock, some twenty. What is asked for while a batch is in the first part
/// makes up the next batch; the second parts of many batches overlap, each on a thread that does nothing but wait.
/// So a lone DEL waits for nobody, and a burst becomes few, large batches of its own accord.
///
/// The thread that has collected a batch deletes it. Another one watches the links go, releases the records that the DELs
/// have marked, answers and collects what has been asked for meanwhile: it wakes up while the kernel is at work already.
/// A call that the daemon carries out waits on a thread of this process: it does that by itself if it is the only one
/// (`OwnRemoval`).
final class LinkRemovals: Sendable {
    /// One watches and collects, the others wait for the kernel: at a batch a millisecond about twenty do at a time.
    private static let threadCount = 25
    /// How long the links of a batch may take to be unlisted.
    private static let timeout = Duration.seconds(5)
    /// How long to wait for the store's lock. Each DEL would wait for it longer, and does if need be.
    private static let lockTimeout = Duration.milliseconds(20)

    /// What has become of one link.
    private enum Outcome: Sendable {
        /// It was there, and neither of its ends is to be seen any more; `released` when that is so of the record, too.
        case deleted(released: Bool)
        /// There was nothing to do: the link was gone already, or is another's.
        case absent
        /// It is there still, or nobody can say.
        case failed
    }

    private struct Waiting: Sendable {
        let key: AttachmentKey
        let target: PodLinkTarget
        let addresses: [IPAddress]
        /// The asker's own hold of it; nil if the asker cannot watch.
        let own: OwnRemoval?
        let reply: @Sendable (Outcome) -> Void
    }

    private struct State: Sendable {
        var waiting: [Waiting] = []
        var isCollecting = false
    }

    private let state = Mutex(State())
    private let idle = Mutex<[RemovalSocket]>([])
    private let names: LinkNames
    private let connectionCount = KeptSetting(ConntrackSocket.countSetting)
    private let store: RunDirectory
    private let threads: NIOThreadPool
    private let logger: Logger

    /// Starts the threads, for the network namespace of the process.
    init(store: RunDirectory, logger: Logger) throws {
        self.store = store
        self.logger = logger
        names = try LinkNames()
        threads = NIOThreadPool(numberOfThreads: Self.threadCount)
        threads.start()
    }

    /// Ends the threads; deletions that have begun are waited for.
    func stop() async {
        try? await threads.shutdownGracefully()
    }

    /// Deletes the endpoint's link, if it is there and the endpoint's, flushes its connections and releases its record, if
    /// that is marked.
    ///
    /// - Parameters:
    ///   - own: what the asker watches with, if it does; see `watch(_:)`.
    ///   - reply: gets, from another thread or from this one, whether there was one; neither of its ends is to be seen
    ///     then. It must not wait.
    func remove(
        _ endpoint: Endpoint, own: OwnRemoval? = nil,
        reply: @escaping @Sendable (Result<LinkDeleteAnswer, RemoteError>) -> Void,
    ) {
        let key = endpoint.key
        guard let alias = LinkAlias(key) else {
            return reply(.failure(RemoteError(code: 4, message: "\(key): too long to be a link's mark")))
        }
        let addresses = endpoint.addresses.map(\.address)
        guard endpoint.hostLinkIndex != 0 else {
            return threads.submit { _ in
                self.flush(addresses)
                reply(.success(LinkDeleteAnswer(isDeleted: false)))
            }
        }
        let target = PodLinkTarget(index: endpoint.hostLinkIndex, alias: alias)
        enqueue(
            Waiting(key: key, target: target, addresses: addresses, own: own) { outcome in
                switch outcome {
                case .deleted(let released):
                    reply(.success(LinkDeleteAnswer(isDeleted: true, isReleased: released)))
                case .absent: reply(.success(LinkDeleteAnswer(isDeleted: false)))
                case .failed:
                    reply(
                        .failure(RemoteError(code: 11, message: "link \(endpoint.hostLink) could not be deleted")))
                }
            })
    }

    /// Watches a link of one's own for as long as it is nobody else's to.
    ///
    /// - Returns: whether the caller has seen it go and taken it: its connections are flushed, and there is no answer. Its
    ///   record is the caller's to release.
    func watch(_ own: OwnRemoval, _ addresses: [IPAddress], until deadline: MonotonicTime) -> Bool {
        let left = try? names.waitUntilGone([own.index], until: deadline) { !own.isOpen }
        guard left == [], own.takeForAsker() else { return false }
        // What has been asked for meanwhile goes while the caller does the rest.
        let mustCollect = state.withLock { state in
            state.isCollecting = !state.waiting.isEmpty
            return state.isCollecting
        }
        if mustCollect { threads.submit { item in self.collect(item) } }
        flush(addresses)
        return true
    }

    private func enqueue(_ one: Waiting) {
        let mustCollect = state.withLock { state in
            // The thread that is at work on a batch collects, and more will be asked for until then. It must not find this
            // one before it is taken.
            if state.isCollecting { one.own?.take() }
            state.waiting.append(one)
            defer { state.isCollecting = true }
            return !state.isCollecting
        }
        if mustCollect { threads.submit { item in self.collect(item) } }
    }

    /// Collects a batch and deletes it, unless nobody waits.
    private func collect(_ item: NIOThreadPool.WorkItemState) {
        while true {
            let batch = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isCollecting = false }
                return state.waiting
            }
            guard !batch.isEmpty else { return }
            if batch.count > 1 { for one in batch { one.own?.take() } }
            guard item == .active else {
                answer(batch, present: [], left: Set(batch.map(\.target)))
                continue
            }
            if carryOut(batch) { return }
        }
    }

    /// - Returns: whether somebody else collects from now on.
    private func carryOut(_ batch: [Waiting]) -> Bool {
        do {
            let socket = try takeSocket()
            let present = try socket.present(batch.map(\.target))
            guard !present.isEmpty else {
                idle.withLock { $0.append(socket) }
                answer(batch, present: [], left: [])
                return false
            }
            if batch.count == 1, let own = batch.first?.own, own.beginAlone() {
                delete(present.map(\.index), on: socket)
                // The kernel has ended: the asker has long seen it, unless it waits no more.
                guard own.take() else { return true }
                answer(batch, present: Set(present), left: watch(present, unless: Flag(raised: true)))
                return false
            }
            let isOver = Flag()
            threads.submit { item in
                let left = item == .active ? self.watch(present, unless: isOver) : Set(present)
                self.answer(batch, present: Set(present), left: left)
                self.collect(item)
            }
            delete(present.map(\.index), on: socket)
            isOver.raise()
            return true
        } catch {
            logger.error("pod links cannot be deleted", metadata: ["reason": "\(error)"])
            answer(batch, present: [], left: Set(batch.map(\.target)))
            return false
        }
    }

    /// Waits for the kernel to unlist the links.
    ///
    /// - Returns: those that are there still, or of which nobody can say.
    private func watch(_ targets: [PodLinkTarget], unless isOver: Flag) -> Set<PodLinkTarget> {
        do {
            let deadline = BootClock.now() + Self.timeout
            let listed = try names.waitUntilGone(targets.map(\.index), until: deadline, unless: { isOver.isRaised })
            let left = targets.filter { listed.contains($0.index) }
            // Somebody else may have deleted what this batch could not.
            return left.isEmpty ? [] : Set(try RemovalSocket().present(left))
        } catch {
            logger.error("pod links cannot be watched", metadata: ["reason": "\(error)"])
            return Set(targets)
        }
    }

    private func answer(_ batch: [Waiting], present: Set<PodLinkTarget>, left: Set<PodLinkTarget>) {
        // Before the answers, after which the addresses are others' to have.
        flush(batch.filter { !left.contains($0.target) }.flatMap(\.addresses))
        let deleted = batch.filter { present.contains($0.target) && !left.contains($0.target) }
        let released = release(deleted)
        for one in batch {
            one.own?.take()
            if left.contains(one.target) {
                one.reply(.failed)
            } else if present.contains(one.target) {
                one.reply(.deleted(released: released.contains(one.key)))
            } else {
                one.reply(.absent)
            }
        }
    }

    /// Releases the records of links that have gone, all at once. What is not released here each DEL releases itself.
    private func release(_ batch: [Waiting]) -> Set<AttachmentKey> {
        guard !batch.isEmpty else { return [] }
        let links = Dictionary(batch.map { ($0.key, $0.target.index) }) { _, last in last }
        do throws(StoreError) {
            let lock = try store.lock(deadline: Self.lockTimeout)
            return try store.releaseMarked(links, under: lock)
        } catch {
            logger.debug("records are left to their DELs", metadata: ["reason": "\(error)"])
            return []
        }
    }

    private func delete(_ indices: [UInt32], on socket: RemovalSocket) {
        do {
            try socket.delete(indices)
            idle.withLock { $0.append(socket) }
        } catch {
            // The socket goes with the error; the next batch opens another.
            logger.error("pod links not deleted", metadata: ["count": "\(indices.count)", "reason": "\(error)"])
        }
    }

    private func takeSocket() throws -> RemovalSocket {
        if let socket = idle.withLock({ $0.popLast() }) { return socket }
        return try RemovalSocket()
    }

    /// No packet of the pods' comes any more. Where nothing is tracked it is one look.
    private func flush(_ addresses: [IPAddress]) {
        do {
            try ConntrackSocket.flush(addresses, count: connectionCount)
        } catch {
            logger.warning("connections not flushed", metadata: ["reason": "\(error)"])
        }
    }
}

/// A socket, used by one thread at a time.
private final class RemovalSocket: Sendable {
    private let remover: Mutex<PodLinkRemover>

    init() throws {
        remover = Mutex(try PodLinkRemover())
    }

    func present(_ targets: [PodLinkTarget]) throws(NetlinkError) -> [PodLinkTarget] {
        try remover.withLock { remover throws(NetlinkError) in try remover.present(targets) }
    }

    func delete(_ indices: [UInt32]) throws(NetlinkError) {
        try remover.withLock { remover throws(NetlinkError) in
            // Drawn anew each time: nobody can have put a link of theirs into a group that nobody knows of.
            try remover.delete(indices, group: UInt32.random(in: 0x1000_0000...0x7fff_ffff))
        }
    }
}
