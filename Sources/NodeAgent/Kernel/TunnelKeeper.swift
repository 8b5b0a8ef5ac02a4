import Dataplane
import LinuxOS
import Logging
import ModePlugins
import NetTypes
import Netlink

/// Keeps the tunnel devices as the plan has them, and takes away those that nobody needs any more.
struct TunnelKeeper {
    /// The devices that are up, by the index of their link: those wanted, and those that are kept until nobody sends by
    /// them any more.
    private(set) var links: [TunnelDevice: UInt32] = [:]
    /// Why a wanted device cannot be had.
    private(set) var problems: [TunnelDevice: Problem] = [:]
    private var unneededSince: [TunnelDevice: MonotonicTime] = [:]
    private var settings: SettingUpkeep
    private let grace: Duration
    private let logger: Logger

    /// Why a device cannot be had, and what to do.
    struct Problem: Equatable {
        var reason: String
        var remedy: String
    }

    /// - Parameter grace: how long a device is kept after the last sign that somebody needs it.
    init(settings: SettingUpkeep, grace: Duration, logger: Logger) {
        self.settings = settings
        self.grace = grace
        self.logger = logger
    }

    /// Makes the wanted devices be as planned.
    ///
    /// A receiver accepts a mode before it says so: the device is up, has its address, and reverse path filtering is
    /// loose on it and on the links that other nodes are reached by, before the index stands in `links`.
    /// - Returns: whether a device has become ready, is ready no longer or has another index.
    mutating func keep(_ plan: TunnelPlan, _ sockets: KernelSockets) -> Bool {
        let before = links
        for device in TunnelDevice.allCases {
            switch plan.wishes[device] {
            case .device(let spec, _): shape(device, spec, loosening: plan.looseLinks(for: device), sockets)
            case .impossible(let reason):
                report(
                    device,
                    Problem(
                        reason: reason,
                        remedy: "correct the address of this node's Node resource, or give a link the address (ip "
                            + "address add)"))
            case nil: problems[device] = nil
            }
        }
        return links != before
    }

    /// When `takeDue` has something to say; nil while no setting was left to anybody.
    var settingsDue: MonotonicTime? { settings.due }

    /// Whether a setting that was left to somebody else may be set again now.
    mutating func takeDue(at now: MonotonicTime) -> Bool { settings.takeDue(at: now) }

    /// Sees that reverse path filtering is as it must be, whoever has changed it.
    mutating func keepSettings(_ plan: TunnelPlan) {
        for device in plan.wishes.keys where links[device] != nil {
            _ = loosen(plan.looseLinks(for: device))
        }
    }

    /// Takes a device away when it has not been needed for the time of grace.
    ///
    /// - Parameter isInUse: whether an own route leaves by the link, or another node still asks for packets in it.
    mutating func retire(
        _ device: TunnelDevice, at now: MonotonicTime, isInUse: Bool, _ sockets: KernelSockets,
    ) {
        guard !isInUse else {
            unneededSince[device] = nil
            return
        }
        guard let since = unneededSince[device] else {
            unneededSince[device] = now
            return
        }
        guard now >= since + grace else { return }
        unneededSince[device] = nil
        links[device] = nil
        do {
            if try sockets.tunnels.remove(device.name) {
                logger.notice("tunnel device removed: no pool needs it", metadata: ["device": "\(device)"])
            }
        } catch {
            logger.error("tunnel device not removed", metadata: ["device": "\(device)", "reason": "\(error)"])
        }
    }

    /// Knows a device that an earlier run has left and that is not wanted: it is in use until it is retired.
    mutating func adopt(_ device: TunnelDevice, _ link: Link) {
        if links[device] == nil, link.alias == TunnelLink.alias { links[device] = link.index }
    }

    private mutating func shape(
        _ device: TunnelDevice, _ spec: TunnelDeviceSpec, loosening filtered: [String], _ sockets: KernelSockets,
    ) {
        unneededSince[device] = nil
        do throws(TunnelDeviceProblem) {
            let (link, steps) = try sockets.tunnels.shape(spec)
            let strict = loosen(filtered)
            if !steps.isEmpty {
                logger.notice(
                    "tunnel device set",
                    metadata: [
                        "device": "\(device)", "mtu": "\(link.mtuBytes)",
                        "address": "\(spec.address.map(\.description) ?? "none")",
                    ])
            }
            // One that was ready stays: others send to it.
            if links[device] == nil, let strict {
                let reason = "reverse path filtering of \(strict) is strict and cannot be changed: set rp_filter to 2"
                // A dot in a link's name would end the name for sysctl(8).
                let name = String(strict.map { $0 == "." ? "/" : $0 })
                return report(device, Problem(reason: reason, remedy: "sysctl -w net.ipv4.conf.\(name).rp_filter=2"))
            }
            links[device] = link.index
            problems[device] = nil
        } catch {
            links[device] = nil
            report(device, Problem(reason: error.description, remedy: error.remedy))
        }
    }

    /// - Returns: the link whose filtering is strict all the same.
    private mutating func loosen(_ names: [String]) -> String? {
        var strict: String?
        for name in names where !settings.loosenReversePath(of: name, at: BootClock.now()) {
            strict = name
        }
        return strict
    }

    private mutating func report(_ device: TunnelDevice, _ problem: Problem) {
        links[device] = nil
        guard problems[device] != problem else { return }
        problems[device] = problem
        logger.error("tunnel device not to be had", metadata: ["device": "\(device)", "reason": "\(problem.reason)"])
    }
}
