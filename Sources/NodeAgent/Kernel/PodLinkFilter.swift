import LinuxOS
import Logging
import NetTypes
import Netlink
import PodPlan

/// Keeps reverse path filtering of the pods' links strict: it is what an IPv4 pod cannot send with another's address by.
///
/// ADD sets it, and what is in force is never less than the link's own value. Others write it too: systemd's udev rule
/// for every new link, a node's sysctl files. A link without an IPv4 address, as these are, drops as much at 2 as at 1,
/// so that the moment until it is mended matters only where it was 0.
struct PodLinkFilter: ~Copyable {
    private static let setting = HostSetting.reversePathFilter

    private let logger: Logger
    private var pace = MendPace<String>()

    init(logger: Logger) {
        self.logger = logger
    }

    /// When `takeDue` has something to say; nil while no link was left to anybody.
    var due: MonotonicTime? { pace.due }

    /// Whether a link that was left to somebody else may be mended now.
    mutating func takeDue(at now: MonotonicTime) -> Bool { pace.takeDue(at: now) }

    /// Whether a value of the setting is another than the one that is kept.
    static func isAltered(_ value: UInt32) -> Bool { value != setting.required }

    /// A link that the picture of the node leaves out has another value, or had it a moment ago.
    mutating func observe(_ name: String, _ index: UInt32, _ sockets: KernelSockets?) {
        guard let sockets, NodePicture.isPodLink(name), isAltered(name) else { return }
        // Another program's link may be called so, too.
        guard let link = try? sockets.link(index: index), NodePicture.isOwnPodLink(link) else { return }
        // An ADD marks its link and makes it strict in one step, which may have been since the first look.
        guard isAltered(name) else { return }
        mend(link.name)
    }

    /// Looks at all of them: nobody has told of what happened while nobody listened.
    mutating func keep(_ names: [String]) {
        for name in names where isAltered(name) { mend(name) }
    }

    private func isAltered(_ name: String) -> Bool {
        // A link that has gone has no setting.
        guard let text = try? Sysctl.read(Self.setting.path(link: name)) else { return false }
        return UInt32(text) != Self.setting.required
    }

    private mutating func mend(_ name: String) {
        switch pace.answer(on: name, at: BootClock.now()) {
        case .later: return
        case .now: break
        case .nowInConflict:
            logger.warning(
                "conflict: another program alters a pod link's rp_filter again and again; answered ever more rarely",
                metadata: [
                    "link": "\(name)", "remedy": "let systemd-networkd, sysctl.d or the script leave cali* alone",
                ])
        }
        do {
            try Sysctl.write(Self.setting.path(link: name), "\(Self.setting.required)")
            logger.warning(
                "reverse path filtering of a pod's link was altered; strict again", metadata: ["link": "\(name)"])
        } catch {
            logger.error(
                "a pod may send with others' IPv4 addresses: rp_filter not set",
                metadata: ["link": "\(name)", "reason": "\(error)"])
        }
    }
}
