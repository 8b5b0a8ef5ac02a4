import BGPTable
import Dataplane
import LinuxOS
import Logging
import ModePlugins
import NIOPosix
import NetTypes
import Netlink
import NodeLink
import Resources

/// The one owner of what the daemon holds in the kernel. It runs on a thread of its own, because netlink blocks.
///
/// What BGP learned and what the kernel reports both come here; both end in one `settle`, which asks the plan what
/// should be and lets the driver make it so.
actor KernelAgent {
    /// What `apusctl get routes` shows of a prefix.
    struct Report: Sendable {
        var mode: String
        var state: String
        var link: String
        /// What stands against its being in the kernel; nil when it is there.
        var obstacle: RouteObstacle?
        /// How many ways the packets to it take.
        var ways = 0
    }

    /// How often everything is read anew, whatever the events said; jittered, so that nodes do not do it together.
    private static let resyncInterval: Duration = .seconds(60)
    /// How many times in a row the upkeep is put off for routes that are on their way to the kernel.
    private static let maximumPostponed = 3

    /// Raised when `hostMTUBytes` or an address of the node's has changed.
    nonisolated let uplinkSignal = Signal()
    /// Raised when a trial of a checksum offload is due.
    nonisolated let offloadSignal = Signal()
    /// Raised when the speaker has something to program, and when the kernel has done what it was handed.
    nonisolated let forwardingSignal = Signal()

    private let executor: BlockingThreadExecutor
    /// What the tasks prefer that wait for others to be done.
    let threadPreference: ActorThreadPreference
    /// Writes routes to the kernel while the agent's own thread plans more.
    private let writerThread = NIOThreadPool(numberOfThreads: 1)
    private let options: AgentOptions
    let logger: Logger
    private let monitor: KernelMonitor
    private(set) var sockets: KernelSockets?
    private(set) var picture = NodePicture()
    var plan = ForwardingPlan()
    /// The peers whose routes are on their way to the kernel, and when their sessions came up.
    var converging: [(peer: IPAddress, since: MonotonicTime)] = []
    private(set) var tunnels: TunnelKeeper
    private(set) var settings: SettingUpkeep
    private var pattern = NICPattern(FelixConfiguration.defaultMTUIfacePattern)
    var configuration: KernelConfiguration?
    private(set) var blackholes: Set<IPPrefix> = []
    private var routeRemarks = RouteRemarks<IPPrefix>()
    var kept = ReplacedRoutes()
    /// The prefixes that cannot be had, of what is being learned.
    var unready: [IPPrefix] = []
    var reach = NextHopReach()
    /// The next hops that the speaker knows to be unreachable.
    var unreachableNextHops: Set<IPAddress> = []
    private var remarks = TunnelRemarks()
    /// How many times in a row the upkeep has been put off.
    private var postponed = 0
    private var resyncDue = MonotonicTime(nanoseconds: 0)
    /// Wakes for what was put off.
    var alarm: Alarm?
    /// The devices that the rules in force guard.
    private var guardedTunnels: Set<TunnelDevice> = []
    var isBroken = false
    private var staleTimer = StaleTimer()
    private var lastMTUBytes: UInt32?
    private var lastAddresses: Set<CIDRAddress> = []
    private(set) var filter: FilterUpkeep
    private(set) var podLinks: PodLinkKeeper
    /// What Prometheus is told of the work with the kernel.
    var numbers = KernelNumbers()
    /// What the checksum offload of the tunnel devices is to be.
    var offload = OffloadPlan()
    var offloadPace = MendPace<TunnelDevice>()

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the actor owns its executor.
        unsafe executor.asUnownedSerialExecutor()
    }

    init(executor: BlockingThreadExecutor, options: AgentOptions, logger: Logger) {
        self.executor = executor
        threadPreference = ActorThreadPreference(executor)
        self.options = options
        self.logger = logger
        filter = FilterUpkeep(logger: logger)
        podLinks = PodLinkKeeper(runDirectory: options.runDirectory, logger: logger)
        monitor = KernelMonitor(logger: logger)
        let changed = ChangedSettings(stateDirectory: options.stateDirectory, node: options.nodeName)
        settings = SettingUpkeep(settings: changed, logger: logger)
        settings.nameBoot()
        tunnels = TunnelKeeper(settings: settings, grace: options.tunnelGrace, logger: logger)
    }

    /// Opens the sockets and takes over what an earlier process left. Events that come later are not missed.
    func start() throws {
        try NodeAgentError.toBeAble(to: "hear the kernel's events") { try monitor.open() }
        writerThread.start()
        let sockets = try NodeAgentError.toBeAble(to: "write routes") {
            try KernelSockets(
                protocolNumber: RouteProtocol.number, writerThread: writerThread, answered: forwardingSignal)
        }
        monitor.ignore(sockets.port)
        self.sockets = sockets
        scheduleResync()
        RouteProtocol.name(logger: logger)
        filter.begin()
        look()
        podLinks.keep(picture.podLinks, sockets)
        settle([])
        let survived = sockets.routes.table.adoptedRoutes.count
        if survived > 0 { logger.notice("routes of an earlier run adopted", metadata: ["count": "\(survived)"]) }
    }

    /// Ends the thread; what is in the kernel stays.
    func stop() async {
        land()
        // What waits for its batch would wait for the next daemon.
        if hasPendingRoutes { settle([]) }
        sockets = nil
        try? await writerThread.shutdownGracefully()
        try? await executor.shutdown()
    }

    /// Takes what the configuration asks for and makes the kernel follow before it returns.
    ///
    /// - Returns: the tunnel devices that are ready to receive.
    @discardableResult
    func configure(_ new: KernelConfiguration) -> Set<TunnelDevice> {
        defer { setAlarm() }
        land()
        let former = configuration
        configuration = new
        staleTimer.configured(at: BootClock.now())
        if let former { dropRoutes(ofNodesIn: former, missingIn: new) }
        keepForwarding()
        usePattern(of: new.felix)
        adoptTunnels()
        // Before anything is received by a tunnel, and before anybody is told that it is.
        guardRules(new, new.tunnelDevices.union(tunnels.links.keys))
        keepTunnels()
        var asked = Set(plan.configure(new))
        asked.formUnion(plan.observe(context()))
        let wanted = plan.blackholes
        // A block that is no longer the node's own may be somebody else's by now: the plan knows.
        asked.formUnion(blackholes.subtracting(wanted.map(\.destination)))
        blackholes = Set(wanted.map(\.destination))
        for route in wanted {
            sockets?.routes.table.setDesired(route)
            // It may have been another node's, behind a tunnel, until now.
            sockets?.tunnels.table.setDesired(neighbours: [], fdb: [], for: route.destination)
            kept.forget(route.destination)
            routeRemarks.note(nil, about: route.destination)
        }
        settle(asked)
        return new.tunnelDevices.intersection(tunnels.links.keys)
    }

    /// The smallest MTU of the NICs that are up; where no link counts as a NIC, that of the link that carries what the node
    /// sends to others, and 1500 while there is none.
    func hostMTUBytes() -> UInt32 {
        if let smallest = pattern.smallestMTUBytes(among: picture.links) { return smallest }
        return configuration.flatMap { picture.carrier(for: $0) }?.mtuBytes ?? 1500
    }
}

// From the kernel.
extension KernelAgent {
    /// Hears the kernel's events and mends what they took away, until cancelled.
    nonisolated func runMonitor() async throws {
        try await monitor.run { events in await self.observe(events) }
    }

    func observe(_ events: [KernelEvent]) {
        defer { setAlarm() }
        podLinks.observe(events, picture, sockets)
        // A pod's link and its addresses change no way to another node, and pods come and go by the thousand.
        let relevant = events.filter(isRelevant)
        guard !relevant.isEmpty else { return }
        land()
        // A link as it was: what has changed is an offload, as the own trials change it.
        let news = relevant.filter { !isAsBefore($0) }
        sockets?.routes.handle(news)
        var isChanged = false
        var needsLook = false
        for event in news {
            switch event {
            case .route(let route, let deleted, let isReplacement):
                guard picture.observe(route, deleted: deleted, isReplacement: isReplacement) else { continue }
                if deleted { reach.doubt(within: route.destination) }
                if plan.isConcerned(byRouteTo: route.destination) { isChanged = true }
            case .overrun:
                needsLook = true
                filter.suspect()
            case .link, .address: needsLook = true
            case .neighbour(let neighbour, let deleted): sockets?.tunnels.table.observe(neighbour, deleted: deleted)
            case .neighbourLost(let link, let address):
                sockets?.tunnels.table.observeLoss(linkIndex: link, address: address)
            case .fdb(let entry, let deleted): sockets?.tunnels.table.observe(entry, deleted: deleted)
            case .ruleset:
                filter.suspect()
                filter.mendDue(at: BootClock.now())
            case .settings: keepSettings()
            // The route driver has heard of it.
            case .nextHopLost: break
            }
        }
        if needsLook {
            look()
            keepTunnels()
            if relevant.contains(.overrun) {
                podLinks.keep(picture.podLinks, sockets)
                keepSettings()
            }
        } else if isChanged || news.count < relevant.count, let tunnelPlan {
            // Another link may lead to a node now, whose packets must come in by it.
            if isChanged { tunnels.keepSettings(tunnelPlan) }
            if news.count < relevant.count { keepOffloads(tunnelPlan) }
        }
        settle(isChanged || needsLook ? plan.observe(context()) : [])
    }

    private func isAsBefore(_ event: KernelEvent) -> Bool {
        guard case .link(let link, deleted: false) = event else { return false }
        return picture.links.contains(link) && !(sockets?.routes.table.isDown(link: link.index) ?? true)
    }

    private func isRelevant(_ event: KernelEvent) -> Bool {
        switch event {
        case .link(let link, _): !NodePicture.isPodLink(link.name)
        case .address(let address, _): picture.name(of: address.linkIndex) != nil
        case .neighbour(let neighbour, _): tunnels.links.values.contains(neighbour.linkIndex)
        case .neighbourLost(let link, _): tunnels.links.values.contains(link)
        case .fdb(let entry, _): tunnels.links.values.contains(entry.linkIndex)
        case .settings(let index?, _): picture.name(of: index) != nil
        case .settings(nil, _): true
        case .route(let route, _, _): !isPodRoute(route)
        case .nextHopLost(let number): number == RouteProtocol.number
        case .ruleset, .overrun: true
        }
    }

    /// Whether a route is one that an ADD has made: ours, to one address, by a link that the picture leaves out.
    private func isPodRoute(_ route: Route) -> Bool {
        route.protocolNumber == RouteProtocol.number && route.destination.isHost && route.hops.count == 1
            && picture.name(of: route.hops[0].linkIndex) == nil
    }

    /// Reads links, addresses and foreign routes anew. Events alone are not enough: a link that goes down takes routes
    /// with it without a word.
    private func look() {
        do {
            picture = try NodePicture(sockets)
        } catch {
            logger.error("the node's links cannot be read; trying again", metadata: ["reason": "\(error)"])
            isBroken = true
        }
        reach.doubtAll()
        let mtuBytes = hostMTUBytes()
        let addresses = picture.ownAddresses
        if mtuBytes != lastMTUBytes || addresses != lastAddresses { uplinkSignal.raise() }
        (lastMTUBytes, lastAddresses) = (mtuBytes, addresses)
    }

    func context() -> ForwardingContext {
        picture.context(
            nodeAddresses: configuration?.nodeAddresses ?? [], protocolNumber: RouteProtocol.number,
            tunnels: tunnels.links)
    }
}

// Tunnels.
extension KernelAgent {
    private var tunnelPlan: TunnelPlan? {
        configuration.map { TunnelPlan($0, picture, hostMTUBytes: hostMTUBytes()) }
    }

    /// Makes the tunnel devices be as configured. What the kernel holds of their neighbours and forwarding entries is
    /// read again: a device that goes down, or loses its address, loses them without an event of theirs.
    private func keepTunnels() {
        guard let sockets, let tunnelPlan else { return }
        adoptTunnels()
        if tunnels.keep(tunnelPlan, sockets) {
            uplinkSignal.raise()
            // The devices that are new are links that the picture lacks, and routes by former ones are gone.
            sockets.routes.requestResync()
            look()
        }
        keepOffloads(tunnelPlan)
        guard !tunnels.links.isEmpty else { return }
        do {
            try sockets.tunnels.resync(links: tunnels.links.values)
        } catch {
            logger.error("the tunnels' tables cannot be read; trying again", metadata: ["reason": "\(error)"])
            isBroken = true
        }
    }

    private func adoptTunnels() {
        guard let wanted = configuration?.tunnelDevices else { return }
        for link in picture.links {
            guard let device = TunnelDevice(rawValue: link.name), !wanted.contains(device) else { continue }
            tunnels.adopt(device, link)
        }
    }

    /// Takes away the devices that no pool needs, when no own route leaves by them and no node asks for packets in them.
    private func retireTunnels(at now: MonotonicTime) {
        guard let sockets, let configuration, configuration.isWhole else { return }
        let wanted = configuration.tunnelDevices
        for (device, link) in tunnels.links where !wanted.contains(device) {
            let isInUse = plan.isAnnounced(device) || !sockets.routes.table.gateways(by: [link]).isEmpty
            tunnels.retire(device, at: now, isInUse: isInUse, sockets)
        }
        let guarded = wanted.union(tunnels.links.keys)
        if guarded != guardedTunnels { guardRules(configuration, guarded) }
    }

    private func guardRules(_ configuration: KernelConfiguration, _ devices: Set<TunnelDevice>) {
        guardedTunnels = devices
        filter.configure(configuration, tunnels: devices)
    }

    func report(_ refused: [NetlinkError]?) {
        for error in refused ?? [] {
            numbers.refusedTunnelEntries += 1
            logger.error("tunnel entry not programmed", metadata: ["reason": "\(error)"])
        }
    }

    private func usePattern(of felix: FelixConfiguration) {
        let text = felix.mtuIfacePattern ?? FelixConfiguration.defaultMTUIfacePattern
        guard !pattern.isMade(of: text) else { return }
        pattern = NICPattern(text)
        if !pattern.isValid {
            logger.error("mtuIfacePattern is no regular expression", metadata: ["pattern": "\(text)"])
        }
    }
}

// By the clock.
extension KernelAgent {
    /// Mends what no event tells of.
    func upkeep() {
        defer { setAlarm() }
        // The next second is as good, as long as it is not put off for ever: to land now would hold up what is planned.
        if sockets?.routes.isInFlight ?? false, postponed < Self.maximumPostponed {
            postponed += 1
            return
        }
        postponed = 0
        land()
        let now = BootClock.now()
        sweepWhenStale(at: now)
        lookAgainIfDoubtful()
        retireTunnels(at: now)
        filter.mendDue(at: now)
        podLinks.upkeep(picture.podLinks, at: now, sockets)
        mendSettings(at: now)
        raiseOffloadSignal(at: now)
        guard isBroken || now >= resyncDue else { return }
        if isBroken { reopen() }
        scheduleResync()
        sockets?.routes.requestResync()
        sockets?.routes.table.retry()
        if let ends = sockets?.tunnels.table.fdb.desired.values { remarks.keep(ends) }
        filter.mend()
        look()
        podLinks.keep(picture.podLinks, sockets)
        keepTunnels()
        keepSettings()
        settle(plan.observe(context()))
    }

    /// Events may have left open which of two foreign routes counts; a look once a second is what that may cost.
    private func lookAgainIfDoubtful() {
        guard picture.isDoubtful else { return }
        look()
        settle(plan.observe(context()))
    }

    /// Mends what was put off and is due.
    func mendDue(at now: MonotonicTime) {
        filter.mendDue(at: now)
        podLinks.mendDue(picture.podLinks, at: now, sockets)
        mendSettings(at: now)
    }

    /// What another program has set back again and again was left to it for a while.
    private func mendSettings(at now: MonotonicTime) {
        let isForwardingDue = settings.takeDue(at: now)
        if tunnels.takeDue(at: now) || isForwardingDue { keepSettings() }
        if offloadPace.takeDue(at: now), let tunnelPlan { keepOffloads(tunnelPlan) }
    }

    private func keepSettings() {
        keepForwarding()
        if let tunnelPlan { tunnels.keepSettings(tunnelPlan) }
    }

    /// The routes of an earlier run that nobody can speak for any more go when the stale time is over, even if no peer
    /// ever says a word.
    private func sweepWhenStale(at now: MonotonicTime) {
        guard staleTimer.fires(at: now, with: configuration) else { return }
        drop(because: "its stale time is over") { _ in true }
    }

    private func scheduleResync() {
        resyncDue = BootClock.now() + Self.resyncInterval * Double.random(in: 0.75...1)
    }

    private func reopen() {
        do {
            try sockets?.reopen()
            if let port = sockets?.port { monitor.ignore(port) }
            isBroken = false
        } catch {
            logger.critical("netlink is not to be had; trying again", metadata: ["reason": "\(error)"])
        }
    }
}

// To the kernel.
extension KernelAgent {
    func settle(_ prefixes: some Sequence<IPPrefix>) {
        land()
        wish(prefixes)
        carryOut { (sockets: KernelSockets) throws(NetlinkError) in
            try addEntries(of: sockets)
            report(try sockets.routes.apply())
            try removeLeftovers(of: sockets)
        }
    }

    /// Asks the plan about the prefixes. Nothing is asked of the kernel.
    func wish(_ prefixes: some Sequence<IPPrefix>) {
        // An own block is its blackhole, whatever others announce.
        let plan = plan
        let isReplacing = !plan.replaced.isEmpty
        var recent: ForwardingPlan.PlainAnswer?
        for prefix in prefixes where blackholes.isEmpty || !blackholes.contains(prefix) {
            switch plan.outcome(for: prefix, recent: &recent) {
            case .ready(let forwarding, _):
                wish(forwarding, for: prefix)
                kept.forget(prefix)
                routeRemarks.note(nil, about: prefix)
                if !forwarding.neighbours.isEmpty { remark(on: prefix, via: forwarding) }
            case .notYet(_, let reason, _):
                if isReplacing { unready.append(prefix) }
                routeRemarks.note(reason, about: prefix)
            case .withdrawn:
                unwish(prefix)
                kept.forget(prefix)
                routeRemarks.note(nil, about: prefix)
            }
        }
        for news in routeRemarks.takeNews() { logger.warning("no route yet", metadata: news.metadata) }
    }

    func wish(_ forwarding: Forwarding, for prefix: IPPrefix) {
        sockets?.routes.table.setDesired(forwarding.route)
        sockets?.tunnels.table.setDesired(neighbours: forwarding.neighbours, fdb: forwarding.fdb, for: prefix)
    }

    func unwish(_ prefix: IPPrefix) {
        sockets?.routes.table.removeDesired(prefix)
        sockets?.tunnels.table.setDesired(neighbours: [], fdb: [], for: prefix)
    }

    /// Logs what a tunnel is made of where it was not told in full, once for each node.
    private func remark(on prefix: IPPrefix, via forwarding: Forwarding) {
        guard let node = forwarding.fdb.first?.destination else { return }
        let remark = plan.remark(on: prefix)
        guard remarks.isNew(remark, of: node), let remark else { return }
        logger.notice("tunnel", metadata: ["node": "\(node)", "remark": "\(remark)"])
    }

    private func keepForwarding() {
        guard options.managesForwarding, let configuration else { return }
        settings.turnOnForwarding(
            for: configuration.forwardedFamilies, at: BootClock.now(), routedLinks: linksOfAdvertisedRoutes)
    }
}
