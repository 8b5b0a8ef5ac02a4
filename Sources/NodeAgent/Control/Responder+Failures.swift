import BGPSession
import NetTypes
import Resources

// What Prometheus is told of what goes wrong, what waits and how long things take.
extension Responder {
    func appendFailures(_ reports: [PeerReport], to text: inout MetricsText) {
        func samples(_ value: (SessionStatus) -> Int64) -> [MetricsText.Sample] {
            reports.map { report in
                .init(
                    value(report.session),
                    [("peer", report.settings.address.description), ("as", report.settings.asNumber.description)])
            }
        }
        text.append(
            "apus_bgp_send_hold_expired_total", .counter, "Sessions ended because the peer took nothing (RFC 9687).",
            samples { Int64(clamping: $0.counters.sendHoldsExpired) })
        text.append(
            "apus_bgp_idle_holds_total", .counter, "Times the session was kept in Idle because it kept failing.",
            samples { Int64(clamping: $0.counters.holds) })
        text.append(
            "apus_bgp_damping_failures", .gauge, "Failures that are held against the peer.",
            samples { Int64(clamping: $0.failures) })
    }

    func appendQueuesAndKernel(to text: inout MetricsText) async {
        let waiting = await speaker.queueDepths()
        text.append(
            "apus_bgp_queue", .gauge, "What waits: read by peers and not in the table, changed and not in the kernel.",
            [
                .init(Int64(waiting.events), [("queue", "import")]),
                .init(Int64(waiting.forwarding), [("queue", "kernel")]),
            ])
        let numbers = await kernel.numbers
        text.append(
            "apus_bgp_convergence_milliseconds", .gauge,
            "From the session's beginning to the last of the peer's first routes in the kernel, the last time.",
            numbers.convergence.sorted { $0.key < $1.key }.map { peer, duration in
                .init(duration.milliseconds, [("peer", peer.description)])
            })
        text.append(
            "apus_kernel_errors_total", .counter, "What the kernel refused, and netlink sockets that failed.",
            [
                .init(numbers.refusedRoutes, [("kind", "route")]),
                .init(numbers.refusedTunnelEntries, [("kind", "tunnel entry")]),
                .init(numbers.failures, [("kind", "socket")]),
            ])
    }
}

extension Duration {
    /// In whole milliseconds.
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
