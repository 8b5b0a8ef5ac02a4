import BFD
import BGPSession
import BGPTable
import NetTypes
import Resources

// What Prometheus is told.
extension Responder {
    /// The daemon's numbers, as of now.
    func metrics() async -> MetricsText {
        var text = MetricsText()
        text.append("apus_start_time_seconds", .gauge, "When the daemon started, since 1970.", [.init(startedAt)])
        let reports = await speaker.peerReports()
        appendSessions(reports, to: &text)
        appendFailures(reports, to: &text)
        appendPrefixes(reports, to: &text)
        text.append(
            "apus_bfd_session_up", .gauge, "Whether BFD reaches the peer.",
            await bfd.reports().sorted { $0.key < $1.key }.map { peer, report in
                .init(report.state == .up ? 1 : 0, [("peer", peer.description)])
            })
        let table = await speaker.tableNumbers()
        text.append(
            "apus_bgp_table_prefixes", .gauge, "Prefixes in the table.",
            table.map { .init(Int64($0.prefixes), [("family", $0.family.rawValue)]) })
        text.append(
            "apus_bgp_change_queue", .gauge, "Changes that wait for the slowest peer.",
            table.map { .init(Int64($0.waitingChanges), [("family", $0.family.rawValue)]) })
        text.append(
            "apus_kernel_routes", .gauge, "Learned and own prefixes by what became of them in the kernel.",
            Dictionary(grouping: await kernel.report().values) { report in
                String(report.state.prefix { $0 != ":" })
            }.sorted { $0.key < $1.key }.map { state, reports in
                .init(Int64(reports.count), [("state", state)])
            })
        await appendQueuesAndKernel(to: &text)
        return text
    }

    private func appendSessions(_ reports: [PeerReport], to text: inout MetricsText) {
        func samples(_ value: (SessionStatus) -> UInt64) -> [MetricsText.Sample] {
            reports.map { .init(Int64(clamping: value($0.session)), labels(of: $0)) }
        }
        text.append(
            "apus_bgp_session_up", .gauge, "Whether the session is established.",
            samples { $0.state == .established ? 1 : 0 })
        text.append(
            "apus_bgp_session_established_total", .counter, "How often the session came up.",
            samples { $0.counters.established })
        text.append(
            "apus_bgp_session_lost_total", .counter, "How often the session went down.", samples { $0.counters.lost })
        text.append(
            "apus_bgp_messages_received_total", .counter, "Messages from the peer, by type.",
            reports.flatMap { messages($0.session.counters.received, labels(of: $0)) })
        text.append(
            "apus_bgp_messages_sent_total", .counter, "Messages to the peer, by type.",
            reports.flatMap { messages($0.session.counters.sent, labels(of: $0)) })
    }

    private func appendPrefixes(_ reports: [PeerReport], to text: inout MetricsText) {
        func samples(_ value: (PeerRIBStatus) -> Int) -> [MetricsText.Sample] {
            reports.map { .init(Int64($0.table.map(value) ?? 0), labels(of: $0)) }
        }
        text.append("apus_bgp_prefixes_received", .gauge, "Routes from the peer.", samples(\.received))
        text.append("apus_bgp_prefixes_refused", .gauge, "Those of them that are not used.", samples(\.refused))
        text.append("apus_bgp_prefixes_stale", .gauge, "Those kept from a lost session.", samples(\.stale))
        text.append("apus_bgp_prefixes_advertised", .gauge, "Prefixes the peer has been told.", samples(\.advertised))
    }

    private func labels(of report: PeerReport) -> [(name: String, value: String)] {
        [("peer", report.settings.address.description), ("as", report.settings.asNumber.description)]
    }

    private func messages(
        _ counters: MessageCounters, _ labels: [(name: String, value: String)],
    ) -> [MetricsText.Sample] {
        [
            ("open", counters.opens), ("update", counters.updates), ("notification", counters.notifications),
            ("keepalive", counters.keepalives), ("refresh", counters.refreshes),
        ].map { .init(Int64(clamping: $1), labels + [("type", $0)]) }
    }
}
