import BFD
import BGPSession
import BGPTable
import BGPWire
import LinuxOS
import NetTypes
import NodeLink
import Resources

// What `apusctl bgp` shows.
extension Responder {
    func answer(_ question: BGPQuestion) async -> Result<JSONObject, RemoteError> {
        switch question {
        case .table(let view):
            return await rows(of: view).map { rows in
                BGPAnswer<BGPRouteRow>.members(count: rows.count) { rows[$0] }
            }
        case .why(let prefix): return .success(ExplanationAnswer(lines: await explanation(of: prefix)).members)
        }
    }

    /// The whole of a table.
    func rows(of view: BGPView) async -> Result<TableRows, RemoteError> {
        switch view {
        case .peers:
            return .success(TableRows(await peerRows()) { $0.json })
        case .states:
            return .success(TableRows(await speaker.peerReports()) { Self.status($0).json })
        case .routes(let range):
            return .success(await rows(of: await speaker.allRoutes(within: range)))
        case .received(let address, let range):
            guard let id = await speaker.peerID(at: address) else { return .failure(unknownPeer(address)) }
            return .success(await rows(of: await speaker.allRoutes(within: range, from: id)))
        case .advertised(let address, let range):
            guard let id = await speaker.peerID(at: address) else { return .failure(unknownPeer(address)) }
            let addresses = await speaker.peerAddresses()
            let routes = await speaker.advertised(to: id, within: range)
            return .success(TableRows(routes) { BGPRouteRow($0, addresses).json })
        }
    }

    private func rows(of routes: [RouteView]) async -> TableRows {
        let addresses = await speaker.peerAddresses()
        return TableRows(routes) { BGPRouteRow($0, addresses).json }
    }

    func refreshed(_ refresh: PeerRefresh) async -> Result<JSONObject, RemoteError> {
        guard let id = await speaker.peerID(at: refresh.peer) else { return .failure(unknownPeer(refresh.peer)) }
        let outcome =
            switch refresh.direction {
            case .incoming: await speaker.askForRoutes(of: id)
            case .outgoing: await speaker.sendRoutesAgain(to: id)
            }
        return switch outcome {
        case .begun: .success([:])
        case .sessionIsDown:
            .failure(
                RemoteError(
                    code: 11,
                    message: "the session with \(refresh.peer) is not established; apusctl bgp peers says why. Both "
                        + "sides send everything when it is"))
        case .peerCannot:
            .failure(
                RemoteError(
                    code: 7,
                    message: "\(refresh.peer) takes no ROUTE-REFRESH (RFC 2918): only a new session has it send "
                        + "everything again"))
        }
    }

    private func unknownPeer(_ address: IPAddress) -> RemoteError {
        RemoteError(code: 7, message: "\(address) is no BGP peer of this node; see apusctl bgp peers")
    }

    private func peerRows() async -> [BGPPeerRow] {
        let bfd = await bfd.reports()
        let now = BootClock.now()
        return await speaker.peerReports().map { report in
            let session = report.session
            var row = BGPPeerRow(
                address: report.settings.address.description, asNumber: report.settings.asNumber,
                state: session.state.rawValue)
            row.since = session.since.map(WallClock.seconds(at:)) ?? 0
            row.downSince = session.downSince.map(WallClock.seconds(at:)) ?? 0
            row.agreed = session.negotiated?.summary ?? ""
            row.received = Int64(report.table?.received ?? 0)
            row.refused = Int64(report.table?.refused ?? 0)
            row.stale = Int64(report.table?.stale ?? 0)
            row.advertised = Int64(report.table?.advertised ?? 0)
            row.messagesIn = Int64(clamping: session.counters.received.total)
            row.messagesOut = Int64(clamping: session.counters.sent.total)
            row.established = Int64(clamping: session.counters.established)
            row.lost = Int64(clamping: session.counters.lost)
            row.bfd = bfd[report.settings.address]?.state.description ?? ""
            row.lastError = session.problem(at: now) ?? ""
            return row
        }
    }

    /// From the wire to the kernel, a sentence each.
    private func explanation(of prefix: IPPrefix) async -> [String] {
        let addresses = await speaker.peerAddresses()
        let rows = await speaker.routes(to: prefix).map { BGPRouteRow($0, addresses) }
        var lines: [String] = []
        if rows.isEmpty { lines.append("In the table: no. Neither this node nor any peer announces \(prefix).") }
        for row in rows {
            let source = row.peer.isEmpty ? "this node" : "peer \(row.peer)"
            let verdicts = [(">", "chosen"), ("=", "as good, used too"), ("x", "refused")]
            let verdict = verdicts.first { row.flags.contains($0.0) }?.1 ?? "not chosen"
            let reason = row.reason.isEmpty ? "" : ": \(row.reason)"
            let path = row.pathID.map { ", path \($0)" } ?? ""
            let stale = row.flags.contains("s") ? ", kept from a lost session" : ""
            lines.append("In the table: from \(source)\(path)\(stale), \(verdict)\(reason).")
        }
        if let pool = await controller.disabledPool(of: prefix) {
            lines.append(
                "Withheld: a pod of this node has \(prefix) from another IPAM plugin, and IPPool/\(pool), in which it "
                    + "lies, is disabled.")
        }
        let told = await speaker.peersTold(of: prefix)
        let pool = await controller.configuration?.pool(of: prefix)
        let keeper = pool.flatMap { $0.disableBGPExport ? ": IPPool/\($0.name) has disableBGPExport" : nil } ?? ""
        lines.append(
            told.isEmpty
                ? "Exported: to nobody\(keeper)."
                : "Exported: to \(told.map(\.description).joined(separator: ", ")).")
        if let report = await kernel.report()[prefix] {
            let link = report.link.isEmpty ? "" : " by \(report.link)"
            let ways = report.ways > 1 ? ", \(report.ways) ways" : ""
            lines.append("In the kernel: \(report.state)\(link)\(ways).")
        } else if rows.contains(where: { $0.flags.contains(">") && !$0.peer.isEmpty }), await !speaker.programsRoutes {
            lines.append("In the kernel: \(Self.notProgrammed).")
        } else {
            lines.append("In the kernel: no route of Apus.")
        }
        return lines
    }
}

extension BGPRouteRow {
    /// A route of the table, and why it is not used if it is not.
    fileprivate init(_ route: RouteView, _ addresses: [PeerID: IPAddress]) {
        var flags = ""
        if route.isBest { flags += ">" } else if route.isWay { flags += "=" }
        if route.isStale { flags += "s" }
        if route.ineligibility != nil { flags += "x" }
        self.init(
            prefix: route.prefix, flags: flags, nextHop: route.nextHop?.description ?? "",
            peer: route.peer.flatMap { addresses[$0]?.description } ?? "")
        describe(route.attributes)
        pathID = route.pathID == 0 ? nil : route.pathID
        if let ineligibility = route.ineligibility { reason = ineligibility.description }
        if let step = route.lostAt { reason = "the chosen route wins by: \(step)" }
    }

    /// What a peer has been told.
    fileprivate init(_ route: AdvertisedRoute, _ addresses: [PeerID: IPAddress]) {
        self.init(prefix: route.prefix, flags: "", nextHop: route.nextHop.description, peer: "")
        pathID = route.pathID == 0 ? nil : route.pathID
        switch route.best {
        case .learned(let best): peer = addresses[best.peer]?.description ?? ""
        case .local: break
        case nil: reason = "withdrawn, which the peer is yet to be told"
        }
        if let attributes = route.attributes { describe(attributes) }
    }

    /// Fills in what the attributes say.
    fileprivate mutating func describe(_ attributes: PathAttributes) {
        localPref = attributes.localPref
        med = attributes.med
        asPath = attributes.asPath.description
        communities = (attributes.communities.map { "\($0)" } + attributes.largeCommunities.map { "\($0)" })
            .joined(separator: " ")
    }
}

extension MessageCounters {
    /// All of them.
    var total: UInt64 { opens &+ updates &+ notifications &+ keepalives &+ refreshes }
}

extension Negotiated {
    /// What was agreed on, in words.
    fileprivate var summary: String {
        var parts = ["id \(peerBGPID)", "hold \(holdTime)", families.map(\.description).joined(separator: ", ")]
        if hasRouteRefresh { parts.append(hasEnhancedRouteRefresh ? "enhanced route refresh" : "route refresh") }
        if hasExtendedMessages { parts.append("extended messages") }
        if !familiesTakenWithPathIDs.isEmpty || !familiesWithPathIDs.isEmpty {
            let ways = [familiesTakenWithPathIDs.isEmpty ? nil : "in", familiesWithPathIDs.isEmpty ? nil : "out"]
            parts.append("add-path \(ways.compactMap(\.self).joined(separator: " and "))")
        }
        if hasExtendedNextHop { parts.append("extended next hop") }
        if let restart = peerGracefulRestart { parts.append("graceful restart \(restart.restartTime) s") }
        if let time = keptLong.map(\.staleTime).max() { parts.append("kept long \(time) s") }
        if !hasFourOctetAS { parts.append("two-octet AS") }
        return parts.joined(separator: "; ")
    }
}
