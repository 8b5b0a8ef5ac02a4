import Dataplane
import ModePlugins
import NetTypes
import Netlink

// What is asked of the kernel's side.
extension KernelAgent {
    /// What has become of every prefix.
    func report() -> [IPPrefix: Report] {
        // What is under way counts as done in the table.
        land()
        var reports: [IPPrefix: Report] = [:]
        for prefix in plan.prefixes { reports[prefix] = report(on: prefix) }
        for prefix in blackholes {
            let (state, obstacle) = state(of: prefix)
            reports[prefix] = Report(mode: "", state: state, link: "", obstacle: obstacle)
        }
        return reports
    }

    private func report(on prefix: IPPrefix) -> Report {
        switch plan.outcome(for: prefix) {
        case .ready(let forwarding, let mode):
            var links: [String] = []
            for hop in forwarding.route.hops {
                if let name = picture.name(of: hop.linkIndex), !links.contains(name) { links.append(name) }
            }
            let remark = forwarding.neighbours.isEmpty ? nil : plan.remark(on: prefix)
            let (state, obstacle) = state(of: prefix)
            return Report(
                mode: mode.rawValue, state: [state, remark].compactMap(\.self).joined(separator: ": "),
                link: links.joined(separator: ", "), obstacle: obstacle, ways: forwarding.route.hops.count)
        case .notYet(let obstacle, let reason, let mode):
            return Report(mode: mode?.rawValue ?? "", state: "not yet: \(reason)", link: "", obstacle: obstacle)
        case .withdrawn:
            return Report(mode: "", state: "withdrawn", link: "", obstacle: .pending)
        }
    }

    private func state(of prefix: IPPrefix) -> (String, RouteObstacle?) {
        switch sockets?.routes.table.condition(of: prefix) {
        case .programmed:
            // The route is as it was before somebody took away what it needs.
            if let problem = sockets?.tunnels.table.problem(of: prefix) {
                ("programmed, but \(problem.text { picture.name(of: $0) })", problem.obstacle)
            } else {
                ("programmed", nil)
            }
        case .pending, nil: ("not yet: waiting for the kernel", .pending)
        case .held(let link): ("not yet: link \(picture.name(of: link) ?? "if\(link)") is down", .linkDown)
        case .problem(let problem): (problem.text { picture.name(of: $0) }, problem.obstacle)
        case .adopted: ("kept from an earlier run", nil)
        case .absent: ("not programmed", .pending)
        }
    }
}

extension RouteProblem {
    fileprivate var obstacle: RouteObstacle {
        switch self {
        case .conflict: .conflict
        case .refused, .unmet: .refused
        }
    }
}
