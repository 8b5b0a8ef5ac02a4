import CNIPlugin
import IPAMCore
import LinuxOS
package import Logging
import NIOCore
import NIOPosix
import NetTypes
import NodeLink
import NodeStore
import ServiceLifecycle

/// One node's daemon: it reads the configuration, speaks BGP, programs the kernel and serves the node socket.
///
/// Parts and the way of the data: configuration files → `NodeController` → node.json, `Speaker`, `KernelAgent`; TCP →
/// `Peer` → `Speaker` → `KernelAgent`; node socket → `Responder` → whoever knows. Nothing calls back against that
/// direction: what is downstream is woken by a `Signal` and pulls.
///
/// It ends without taking anything back: routes stay in the kernel, and peers keep this node's by graceful restart.
package struct NodeAgent: Service {
    private let options: AgentOptions
    private let logger: Logger

    /// Makes the daemon; nothing happens before `run`.
    package init(options: AgentOptions, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    /// Works until the graceful shutdown.
    ///
    /// - Throws: when the run directory, the netlink sockets or the node socket are not to be had.
    package func run() async throws {
        guard ProcessIO.isRoot else { throw NodeAgentError.notRoot }
        let fresh = try FreshDirectories(options)
        do {
            try await work()
        } catch {
            fresh.removeEmpty()
            throw error
        }
    }

    private func work() async throws {
        raiseDescriptorLimit()
        let store = RunDirectory(path: options.runDirectory, bootID: try BootID.current())
        try store.create()
        let instance = try InstanceLock(runDirectory: options.runDirectory)
        defer { withExtendedLifetime(instance) {} }
        for squatter in instance.squatters {
            logger.warning("a name of apusd's is another user's; it is ignored", metadata: ["holder": "\(squatter)"])
        }
        let storeWatch = StoreWatch(store: store, servesCalls: options.servesCalls, logger: logger)
        try storeWatch.settle()
        let netnsInode = try NetNS.current().inode
        try sweep(store)
        let (previous, isRestarting) = try takeOver(store, netnsInode: netnsInode)
        logger.notice(
            "apusd starts",
            metadata: ["node": "\(options.nodeName)", "restart": "\(isRestarting)", "run": "\(options.runDirectory)"])

        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bfdLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let kernel = KernelAgent(executor: BlockingThreadExecutor(), options: options, logger: logger)
        let speaker = Speaker(
            dialer: Dialer(eventLoop: loops.next()), forwardingSignal: kernel.forwardingSignal,
            isRestarting: isRestarting, logger: logger)
        let claims = try ClaimRecord(stateDirectory: options.stateDirectory, node: options.nodeName)
        if let remark = claims.remark { logger.warning("\(remark)") }
        let notices = ServiceNotices(servesCalls: options.servesCalls, logger: logger)
        let controller = NodeController(
            options: options, store: store, netnsInode: netnsInode, previous: previous,
            claims: claims, speaker: speaker, kernel: kernel, notices: notices, logger: logger)
        let linkRemovals = try NodeAgentError.toBeAble(to: "remove pods' links") {
            try LinkRemovals(store: store, logger: logger)
        }
        let shortages = KeyShortages()
        let faults = DaemonFaults()
        let bfd = BFDMonitor(peers: speaker.directory, eventLoop: bfdLoops.next(), logger: logger)
        let responder = Responder(
            nodeName: options.nodeName, startedAt: WallClock.now(), store: store, controller: controller,
            speaker: speaker, kernel: kernel, bfd: bfd, linkRemovals: linkRemovals, shortages: shortages,
            faults: faults)
        let server = ControlServer(
            path: store.socketPath,
            hello: Hello(node: options.nodeName, bootID: store.bootID, netnsInode: netnsInode),
            prompt: { responder.answerPromptly($0, $1) }, responder: { await responder.answer($0) },
            tables: { await responder.table($0) }, logger: logger, isBound: { notices.has(.socket) })

        let calls = CallServer(
            path: store.callSocketPath,
            service: CallService(
                store: store, netnsInode: netnsInode, desk: CallDesk(responder: responder),
                version: ProgramVersion.current),
            logger: logger)

        try await kernel.start()
        let result: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await storeWatch.run { loss in
                        restore(loss, instance: instance, controller: controller, server: server, calls: calls)
                    }
                }
                if options.servesCalls { group.addTask { await calls.run { notices.has(.callSocket) } } }
                group.addTask { await bfd.run(for: speaker) }
                group.addTask { await kernel.runOffloadTrials(OffloadProbe(eventLoop: loops.next())) }
                if let endpoint = options.metricsEndpoint {
                    let address = try SocketAddress(ipAddress: endpoint.address, port: Int(endpoint.port))
                    let server = MetricsServer(
                        address: address, eventLoop: loops.next(), faults: faults, logger: logger,
                        metrics: { await responder.metrics() })
                    group.addTask { await server.run() }
                }
                let listener = BGPListener(
                    speaker: speaker, shortages: shortages, eventLoop: loops.next(), logger: logger)
                try await run(
                    kernel: kernel, speaker: speaker, controller: controller, server: server, listener: listener,
                    calls: calls)
                group.cancelAll()
            }
            result = .success(())
        } catch is CancellationError {
            // The end of the tasks that were told to end.
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await speaker.stop()
        try await bfdLoops.shutdownGracefully()
        try await loops.shutdownGracefully()
        await linkRemovals.stop()
        await kernel.stop()
        logger.notice("apusd ends; routes stay in the kernel")
        try result.get()
    }

    /// A reflector of thousands of nodes needs more descriptors than most processes are given at first.
    private func raiseDescriptorLimit() {
        do throws(SystemError) {
            _ = try DescriptorLimit.raise()
        } catch {
            logger.warning("the limit of open files stays as it is", metadata: ["reason": "\(error)"])
        }
    }

    /// Somebody has emptied the run directory.
    private func restore(
        _ loss: StoreWatch.Loss, instance: InstanceLock, controller: NodeController, server: ControlServer,
        calls: CallServer,
    ) {
        // One that could not be had so far is not gone.
        let hasLostCalls = loss.callSocket && calls.isBound
        if loss.socket || hasLostCalls {
            logger.warning(
                "sockets of the run directory are gone; made again",
                metadata: ["socket": "\(loss.socket)", "calls": "\(hasLostCalls)"])
        }
        do {
            try instance.renew()
        } catch {
            logger.critical("another apusd has taken the run directory", metadata: ["reason": "\(error)"])
        }
        if loss.nodeState { controller.nodeStateLost() }
        if loss.socket { server.rebind() }
        if loss.callSocket { calls.rebind() }
    }

    private func run(
        kernel: KernelAgent, speaker: Speaker, controller: NodeController, server: ControlServer,
        listener: BGPListener, calls: CallServer,
    ) async throws {
        let watch = ConfigurationWatch(
            reader: ConfigurationReader(path: options.configurationPath), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await speaker.run() }
            group.addTask { await controller.run() }
            group.addTask { try await kernel.runMonitor() }
            group.addTask { await kernel.runForwarding(from: speaker) }
            group.addTask { try await watch.run { controller.offer($0) } }
            group.addTask { try await server.run() }
            group.addTask { await listener.run() }
            group.addTask { try await gracefulShutdown() }
            // The first to end ends all: the shutdown, or a part without which nothing works.
            let first = await group.nextResult()
            controller.notices.stopping()
            await calls.stop()
            controller.stop()
            await speaker.stop()
            group.cancelAll()
            while await group.nextResult() != nil {}
            try first?.get()
        }
    }

    /// Removes what killed processes have left half written.
    private func sweep(_ store: RunDirectory) throws(StoreError) {
        let lock = try store.lock(deadline: .seconds(10))
        try store.sweep(under: lock)
    }

    /// What an earlier daemon of this boot has left.
    ///
    /// - Returns: its node.json, and whether there was such a daemon: a file that cannot be read is a trace of one.
    private func takeOver(_ store: RunDirectory, netnsInode: UInt64) throws(StoreError) -> (NodeState?, Bool) {
        do throws(StoreError) {
            guard let state = try store.nodeState(), state.netnsInode == netnsInode else { return (nil, false) }
            return (state, true)
        } catch {
            guard case .corrupt(let path, let reason, _) = error else { throw error }
            logger.error("unreadable, and written anew", metadata: ["path": "\(path)", "reason": "\(reason)"])
            return (nil, true)
        }
    }
}
