import LinuxOS
import Logging
import NetTypes
import Resources

/// Keeps kernel settings of the node at the values that Apus needs, whoever else writes them.
struct SettingUpkeep: Sendable {
    let settings: ChangedSettings
    let logger: Logger
    private var pace = MendPace<[String]>()
    /// The links that hear routers though the node forwards; nil before the record is read.
    var hearingLinks: Set<String>?

    init(settings: ChangedSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Has the record of an earlier version say which boot it is of.
    func nameBoot() {
        do {
            try settings.nameBoot()
        } catch {
            logger.warning(
                "the record of former kernel settings cannot be written", metadata: ["reason": "\(error)"])
        }
    }

    /// When `takeDue` has something to say; nil while nothing was left to anybody.
    var due: MonotonicTime? { pace.due }

    /// Whether a setting that was left to somebody else may be set again now.
    mutating func takeDue(at now: MonotonicTime) -> Bool { pace.takeDue(at: now) }

    /// Makes reverse path filtering of a link loose.
    ///
    /// While two nodes change over from plain routes to a tunnel, packets of one direction come by the one and those of
    /// the other by the other. Strict filtering drops them, loose filtering (2) does not; what is in force is the larger
    /// of the link's value and `all`'s, so that 2 on the link is loose whatever `all` is.
    ///
    /// - Returns: whether it is.
    mutating func loosenReversePath(of link: String, at now: MonotonicTime) -> Bool {
        do {
            if let old = try keep(Self.reversePath(of: link), "2", at: now) {
                logger.notice("reverse path filtering is loose", metadata: ["link": "\(link)", "before": "\(old)"])
            }
        } catch {
            logger.error("rp_filter not set", metadata: ["link": "\(link)", "reason": "\(error)"])
        }
        let values = ["all", link].compactMap { (try? Sysctl.read(Self.reversePath(of: $0))).flatMap { Int($0) } }
        return values.max() != 1
    }

    private static func reversePath(of link: String) -> [String] { ["net", "ipv4", "conf", link, "rp_filter"] }

    /// Turns on IP forwarding of the node, without which ADD refuses.
    ///
    /// - Parameter routedLinks: the links by which routes lead that a router has advertised; nil while nobody knows. Asked
    ///   before forwarding of IPv6 is turned on.
    mutating func turnOnForwarding(
        for wanted: Set<AddressFamily>, at now: MonotonicTime, routedLinks: () throws -> [String]?,
    ) {
        var families = wanted
        if wanted.contains(.ipv6), !keepHearing(at: now, routedLinks) { families.remove(.ipv6) }
        for (family, key) in [
            (AddressFamily.ipv4, ["net", "ipv4", "ip_forward"]), (.ipv6, ["net", "ipv6", "conf", "all", "forwarding"]),
        ] where families.contains(family) {
            do {
                guard try keep(key, "1", at: now) != nil else { continue }
                logger.notice("IP forwarding turned on", metadata: ["family": "\(family.rawValue)"])
            } catch {
                logger.error("IP forwarding cannot be turned on; ADD will refuse", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Gives a setting its value, unless it was set back so often that it has to wait.
    ///
    /// - Parameter former: the one value in whose place it is given; nil for any.
    /// - Returns: the value of before; nil when nothing was written.
    mutating func keep(
        _ key: [String], _ value: String, inPlaceOf former: String? = nil, at now: MonotonicTime,
    ) throws -> String? {
        let found = try Sysctl.read(key)
        guard found != value, former.map({ $0 == found }) ?? true else { return nil }
        guard !pace.mustWait(key, at: now) else { return nil }
        let old = try settings.set(key, to: value) { error in
            logger.warning(
                "what a kernel setting was is not remembered; apusd cleanup will not give it back",
                metadata: ["setting": "\(key.joined(separator: "/"))", "before": "\(found)", "reason": "\(error)"])
        }
        if case .nowInConflict = pace.answer(on: key, at: now) {
            logger.warning(
                "conflict: another program sets a kernel setting back again and again; answered ever more rarely",
                metadata: [
                    "setting": "\(key.joined(separator: "/"))", "theirs": "\(found)", "needed": "\(value)",
                    "remedy": "let systemd-networkd (IPv4ReversePathFilter=), sysctl.d or the script leave it alone",
                ])
        }
        return old
    }
}

extension KernelConfiguration {
    /// The families that pods have addresses of, or will.
    var forwardedFamilies: Set<AddressFamily> {
        var families = Set(pools.map(\.cidr.family))
        if awaitsPool { families.insert(.ipv4) }
        return families
    }
}
