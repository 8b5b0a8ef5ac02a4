import LinuxOS
import Logging
import ModePlugins
import NetTypes
import Netlink
import NodeLink
import Resources

// The checksum offload of the tunnel devices.
extension KernelAgent {
    /// Tries what is to be tried, until cancelled.
    nonisolated func runOffloadTrials(_ probe: OffloadProbe) async {
        await offloadSignal.forEach {
            while !Task.isCancelled, let attempt = await nextAttempt() {
                await take(await probe.run(attempt), of: attempt)
            }
        }
        await abandonTrials()
    }

    /// Sees what the offload of each device is, and makes it what it is to be. Called whenever a link has changed: the
    /// kernel tells of a changed offload as it tells of any other change of a link.
    func keepOffloads(_ plan: TunnelPlan) {
        let now = BootClock.now()
        offload.keepOnly(tunnels.links.keys)
        for (device, wish) in plan.wishes {
            guard case .device(_, let parent) = wish, let link = tunnels.links[device],
                let isOn = isOffloadOn(device), let parent = picture.links.first(where: { $0.name == parent })
            else { continue }
            let path = OffloadPlan.Path(link: link, parent: parent.index)
            let isBroken = configuration?.felix.isChecksumOffloadBroken
            guard let wanted = offload.keep(device, path, isOn: isOn, isBroken: isBroken, at: now) else { continue }
            switch offloadPace.answer(on: device, at: now) {
            case .later: continue
            case .now: break
            case .nowInConflict:
                logger.warning(
                    "conflict: another program changes the checksum offload again and again; answered ever more rarely",
                    metadata: ["device": "\(device)"])
            }
            setOffload(of: device, isOn: wanted)
            logger.notice(
                "checksum offload set", metadata: ["device": "\(device)", "offload": "\(wanted ? "on" : "off")"])
        }
        raiseOffloadSignal(at: now)
    }

    /// Wakes whoever makes the trials when one is due.
    func raiseOffloadSignal(at now: MonotonicTime) {
        if offload.isDue(at: now) { offloadSignal.raise() }
    }

    /// What `apusctl` shows of the devices.
    func tunnelReports() -> [TunnelStatus] {
        offload.findings.sorted { $0.key.name < $1.key.name }.map { device, finding in
            switch finding {
            case .unknown: TunnelStatus(device: device.name, isOffloadOn: true, finding: .unknown)
            case .sound(let peer):
                TunnelStatus(device: device.name, isOffloadOn: true, finding: .sound, peer: "\(peer)")
            case .broken(let peer):
                TunnelStatus(device: device.name, isOffloadOn: false, finding: .broken, peer: "\(peer)")
            case .foundOff: TunnelStatus(device: device.name, isOffloadOn: false, finding: .foundOff)
            case .decided(let isOn): TunnelStatus(device: device.name, isOffloadOn: isOn, finding: .decided)
            }
        }
    }

    /// The tunnel devices that pools need and that cannot be had.
    func tunnelFaults() -> [DaemonFault] {
        tunnels.problems.sorted { $0.key.name < $1.key.name }.map { device, problem in
            DaemonFault(
                subject: device.name, problem: "the tunnel device \(device.name) is not to be had: \(problem.reason)",
                remedy: problem.remedy)
        }
    }

    private func nextAttempt() -> OffloadPlan.Attempt? {
        // Nodes begin at different places of the same list, or one of them would hear from all.
        let start = (configuration?.nodeName ?? "").utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff }
        let attempt = offload.next(at: BootClock.now()) { device, path, others in
            guard let local = configuration?.tunnelAddresses[device],
                let peer = plan.farEnd(of: device, by: path.link, otherThan: others, from: start)
            else { return nil }
            return (local, peer)
        }
        if let attempt { setOffload(of: attempt.device, isOn: attempt.isOffloadOn) }
        return attempt
    }

    private func take(_ outcome: OffloadTrial.Outcome, of attempt: OffloadPlan.Attempt) {
        let device = attempt.device
        let isUndisturbed = isOffloadOn(device) == attempt.isOffloadOn
        let former = offload.findings[device]
        let wanted = offload.take(outcome, of: attempt, isUndisturbed: isUndisturbed, at: BootClock.now())
        if let wanted { setOffload(of: device, isOn: wanted) }
        guard let finding = offload.findings[device], finding != former else { return }
        let metadata: Logger.Metadata = ["device": "\(device)", "peer": "\(attempt.peer)"]
        switch finding {
        case .sound: logger.info("checksum offload works", metadata: metadata)
        case .broken:
            logger.warning(
                "checksum offload is turned off: packets whose inner checksum is left to the network card do not arrive",
                metadata: metadata)
        case .unknown, .foundOff, .decided: break
        }
    }

    private func abandonTrials() {
        for device in offload.abandon() { setOffload(of: device, isOn: true) }
    }

    private func isOffloadOn(_ device: TunnelDevice) -> Bool? { try? ChecksumOffload.isOn(device.name) }

    private func setOffload(of device: TunnelDevice, isOn: Bool) {
        guard isOffloadOn(device) == !isOn else { return }
        do {
            try ChecksumOffload.set(device.name, isOn: isOn)
        } catch {
            logger.error("checksum offload not set", metadata: ["device": "\(device)", "reason": "\(error)"])
        }
    }
}
