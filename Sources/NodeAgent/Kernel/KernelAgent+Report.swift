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
            reports[prefix] = Report(mode: "", state: state(of: prefix), link: "")
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
            let state = [state(of: prefix), remark].compactMap(\.self).joined(separator: ": ")
            return Report(
                mode: mode.rawValue, state: state, link: links.joined(separator: ", "),
                ways: forwarding.route.hops.count)
        case .notYet(let reason, let mode):
            return Report(mode: mode?.rawValue ?? "", state: "not yet: \(reason)", link: "")
        case .withdrawn:
            return Report(mode: "", state: "withdrawn", link: "")
        }
    }

    private func state(of prefix: IPPrefix) -> String {
        switch sockets?.routes.table.condition(of: prefix) {
        case .programmed: "programmed"
        case .pending, nil: "not yet: waiting for the kernel"
        case .held(let link): "not yet: link \(picture.name(of: link) ?? "if\(link)") is down"
        case .problem(let problem): problem.description
        case .adopted: "kept from an earlier run"
        case .absent: "not programmed"
        }
    }
}
