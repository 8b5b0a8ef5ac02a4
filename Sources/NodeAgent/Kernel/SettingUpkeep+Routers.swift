import LinuxOS
import Logging
import NetTypes

// Routers' advertisements (RFC 4861 §4.2), which a host hears and a router does not.
extension SettingUpkeep {
    /// Has links go on hearing routers when the node forwards.
    ///
    /// With forwarding on the kernel takes a node for a router: a link with accept_ra 1 hears no advertisement any more,
    /// and the routes that it has from them, the default route among them, go at once; the addresses follow when their
    /// time is over. With 2 it hears them whatever the node does. 0 is left alone: then another program hears them, or
    /// nobody is to.
    ///
    /// Which links those are is seen when forwarding is turned on, and known from the record at every later start, when
    /// no router may have spoken yet.
    ///
    /// - Returns: whether they are known. If not, forwarding is not to be turned on: the routes would be lost for good.
    mutating func keepHearing(at now: MonotonicTime, _ routedLinks: () throws -> [String]?) -> Bool {
        do {
            var links = try hearingLinks ?? settings.changedLinks(Self.key)
            if try Sysctl.read(["net", "ipv6", "conf", "all", "forwarding"]) == "0" {
                guard let routed = try routedLinks() else { return false }
                links.formUnion(routed)
            }
            hearingLinks = links
        } catch {
            logger.error(
                "accept_ra not looked at; IPv6 is not forwarded until it can be", metadata: ["reason": "\(error)"])
            return false
        }
        for link in (hearingLinks ?? []).sorted() { keepHearing(link, at: now) }
        return true
    }

    private static var key: String { "accept_ra" }

    private mutating func keepHearing(_ link: String, at now: MonotonicTime) {
        do {
            guard try keep(["net", "ipv6", "conf", link, Self.key], "2", inPlaceOf: "1", at: now) != nil else { return }
            logger.notice("routers are heard though the node forwards", metadata: ["link": "\(link)"])
        } catch {
            // A link that has gone, or has not come yet.
            if let error = error as? SystemError, error.code == .ENOENT { return }
            logger.error("accept_ra not set", metadata: ["link": "\(link)", "reason": "\(error)"])
        }
    }
}

extension ChangedSettings {
    /// The links of which this setting of IPv6 was changed.
    func changedLinks(_ setting: String) throws -> Set<String> {
        Set(
            try recorded().compactMap { name in
                let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 5, Array(parts[..<3]) == ["net", "ipv6", "conf"], parts[4] == setting else {
                    return nil
                }
                return parts[3]
            })
    }
}
