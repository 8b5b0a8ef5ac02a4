import ModePlugins
import NetTypes

/// What the checksum offload of each tunnel device is to be, and which trial is to be made next. A pure value.
///
/// An offload that is found off is left off: an operator, or an earlier run that has had its reasons, did it.
struct OffloadPlan: Sendable {
    /// What is known of a device's offload.
    enum Finding: Sendable, Equatable {
        /// Nothing yet; it is on.
        case unknown
        /// Packets that rely on it arrive at that node.
        case sound(with: IPAddress)
        /// They do not; it is off.
        case broken(with: IPAddress)
        /// It was off when the device was first seen, or somebody else has turned it off.
        case foundOff
        /// The operator has said what it is to be (FelixConfiguration's `featureDetectOverride`).
        case decided(isOn: Bool)
    }

    /// The way that a device's packets take out of the node, by the indices of the links.
    struct Path: Sendable, Hashable {
        var link: UInt32
        var parent: UInt32
    }

    /// One connection to be tried.
    struct Attempt: Sendable, Equatable {
        var device: TunnelDevice
        var path: Path
        /// The own address inside the tunnel.
        var local: IPAddress
        /// The other node's.
        var peer: IPAddress
        /// What the device's offload is to be meanwhile.
        var isOffloadOn: Bool
    }

    private struct Device: Sendable {
        var path: Path
        var finding: Finding
        var trial: OffloadTrial?
        /// When the next trial may begin.
        var due: MonotonicTime
        var lastTrial: MonotonicTime?
        var failures = 0
        /// Those with whom nothing was found out.
        var tried: Set<IPAddress> = []

        /// Whether it is off because this plan has said so.
        var isTurnedOff: Bool {
            switch finding {
            case .broken, .decided(isOn: false): true
            case .unknown: !(trial?.isOffloadOn ?? true)
            case .sound, .foundOff, .decided: false
            }
        }

        mutating func postpone(at now: MonotonicTime) {
            trial = nil
            due = now + OffloadPlan.firstPause * (1 << min(failures, 9))
            failures += 1
        }
    }

    /// A trial that has shown nothing is followed by another after so long, and after twice as long each time.
    private static let firstPause = Duration.seconds(5)
    /// How long a peer that comes up must wait for a trial after the last one.
    private static let rest = Duration.seconds(30)
    /// How long a device and its routes have to settle.
    private static let settlingTime = Duration.seconds(1)

    private var devices: [TunnelDevice: Device] = [:]

    /// What is known of each device.
    var findings: [TunnelDevice: Finding] { devices.mapValues(\.finding) }

    /// Takes a device as it is found.
    ///
    /// - Parameters:
    ///   - isBroken: the operator's word; nil where there is none.
    /// - Returns: what its offload is to be made; nil when it is to stay as it is.
    mutating func keep(
        _ device: TunnelDevice, _ path: Path, isOn: Bool, isBroken: Bool?, at now: MonotonicTime,
    ) -> Bool? {
        let former = devices[device]
        if let isBroken {
            devices[device] = Device(path: path, finding: .decided(isOn: !isBroken), due: now)
            return isOn == isBroken ? !isBroken : nil
        }
        guard var kept = former, kept.path.parent == path.parent, !kept.finding.isDecided else {
            let isOthers = !isOn && !(former?.isTurnedOff ?? false)
            devices[device] = Device(
                path: path, finding: isOthers ? .foundOff : .unknown, due: now + Self.settlingTime)
            return isOn || isOthers ? nil : true
        }
        // Made anew: what was being tried with the former link shows nothing of this one.
        if kept.path != path { kept.trial = nil }
        kept.path = path
        defer { devices[device] = kept }
        switch kept.finding {
        case .broken: return isOn ? false : nil
        case .foundOff where isOn:
            kept.finding = .unknown
            kept.due = now
        case .sound where !isOn, .unknown where !isOn && kept.trial == nil: kept.finding = .foundOff
        case .unknown, .sound, .foundOff, .decided: break
        }
        return nil
    }

    /// Forgets the devices that are no more.
    mutating func keepOnly(_ present: some Sequence<TunnelDevice>) {
        let present = Set(present)
        devices = devices.filter { present.contains($0.key) }
    }

    /// Takes the news that another node can be reached: what is not known yet is tried soon.
    mutating func peerCame(at now: MonotonicTime) {
        for (device, known) in devices where known.finding == .unknown && known.trial == nil {
            let earliest = known.lastTrial.map { $0 + Self.rest } ?? now
            devices[device]?.due = min(known.due, max(earliest, now))
        }
    }

    /// Whether `next` has something to say.
    func isDue(at now: MonotonicTime) -> Bool {
        devices.values.contains { $0.finding == .unknown && ($0.trial != nil || now >= $0.due) }
    }

    /// The connection to try next.
    ///
    /// - Parameter farEnd: the ends of a device's tunnel: its own, and that of another node which is none of those given.
    mutating func next(
        at now: MonotonicTime,
        farEnd: (TunnelDevice, Path, Set<IPAddress>) -> (local: IPAddress, peer: IPAddress)?,
    ) -> Attempt? {
        for device in TunnelDevice.allCases {
            guard var known = devices[device], known.finding == .unknown else { continue }
            guard known.trial != nil || now >= known.due else { continue }
            defer { devices[device] = known }
            guard let trial = known.trial ?? begin(device, &known, farEnd) else {
                known.postpone(at: now)
                continue
            }
            known.trial = trial
            return Attempt(
                device: device, path: known.path, local: trial.local, peer: trial.peer, isOffloadOn: trial.isOffloadOn)
        }
        return nil
    }

    /// A trial with a node that none was made with before; when there is no such node, all may be asked again.
    private func begin(
        _ device: TunnelDevice, _ known: inout Device,
        _ farEnd: (TunnelDevice, Path, Set<IPAddress>) -> (local: IPAddress, peer: IPAddress)?,
    ) -> OffloadTrial? {
        var ends = farEnd(device, known.path, known.tried)
        if ends == nil, !known.tried.isEmpty {
            known.tried = []
            ends = farEnd(device, known.path, [])
        }
        return ends.map { OffloadTrial(from: $0.local, with: $0.peer) }
    }

    /// Takes what came of a connection.
    ///
    /// - Parameter isUndisturbed: whether the device's offload was what the attempt asked for until the end.
    /// - Returns: what the offload is to be made now; nil when it is to stay as it is.
    mutating func take(
        _ outcome: OffloadTrial.Outcome, of attempt: Attempt, isUndisturbed: Bool, at now: MonotonicTime,
    ) -> Bool? {
        guard var known = devices[attempt.device], known.path == attempt.path, var trial = known.trial
        else { return nil }
        defer { devices[attempt.device] = known }
        guard let verdict = isUndisturbed ? trial.take(outcome) : .undecided else {
            known.trial = trial
            return nil
        }
        known.trial = nil
        switch verdict {
        case .sound:
            known.finding = .sound(with: trial.peer)
            return nil
        case .broken:
            known.finding = .broken(with: trial.peer)
            return nil
        case .undecided:
            known.tried.insert(trial.peer)
            known.lastTrial = now
            known.postpone(at: now)
            return trial.isOffloadOn ? nil : true
        }
    }

    /// Ends what is being tried.
    ///
    /// - Returns: the devices whose offload is to be turned on again.
    mutating func abandon() -> [TunnelDevice] {
        let off = devices.filter { $0.value.trial.map { !$0.isOffloadOn } ?? false }
        for device in devices.keys { devices[device]?.trial = nil }
        return Array(off.keys)
    }
}

extension OffloadPlan.Finding {
    fileprivate var isDecided: Bool {
        if case .decided = self { true } else { false }
    }
}
