package import IPAMCore
package import NetTypes

/// What a pod's link is to be.
package struct PodLink: Sendable, Equatable {
    /// The mark on the host's end; it also says whose the link is.
    package let alias: LinkAlias
    /// The name of the host's end.
    package let hostName: String
    /// The addresses, which the pod has with their whole length.
    package let addresses: [IPAddress]
    /// The MTU of both ends in octets.
    package let mtuBytes: UInt32
    /// The link-layer address of the pod's end.
    package let podMAC: MACAddress
    /// Where the pod's routes lead, all through its gateways; a family with an address and none of these has the
    /// default route.
    package let destinations: [IPPrefix]

    /// Describes a link.
    ///
    /// - Parameter podMAC: nil for the one that follows from the key.
    package init(
        alias: LinkAlias, hostName: String, addresses: [IPAddress], mtuBytes: UInt32, podMAC: MACAddress? = nil,
        destinations: [IPPrefix] = [],
    ) {
        self.alias = alias
        self.hostName = hostName
        self.addresses = addresses
        self.mtuBytes = mtuBytes
        self.podMAC = podMAC ?? Self.derivedMAC(of: alias.key)
        self.destinations = AddressFamily.allCases.flatMap { family -> [IPPrefix] in
            guard addresses.contains(where: { $0.family == family }) else { return [] }
            var seen: Set<IPPrefix> = []
            let stated = destinations.filter { $0.family == family && seen.insert($0).inserted }
            return stated.isEmpty ? [PodPlan.defaultDestination(family)] : stated
        }
    }

    /// Whose link it is.
    package var key: AttachmentKey { alias.key }

    /// The name of the pod's end.
    package var podName: String { key.ifName }

    /// The link-layer address of every host end: no pod ever has to learn another.
    package var hostMAC: MACAddress { .hostEnd }

    /// The same link with another name of its host's end.
    package func named(_ hostName: String) -> PodLink {
        PodLink(
            alias: alias, hostName: hostName, addresses: addresses, mtuBytes: mtuBytes, podMAC: podMAC,
            destinations: destinations)
    }

    /// A link-layer address for the pod's end: local, unicast, and a digest of the key, so that a link that is made
    /// again has it again.
    package static func derivedMAC(of key: AttachmentKey) -> MACAddress {
        let digest = SHA1.digest("\(key.network)\0\(key.containerID)\0\(key.ifName)".utf8)
        let bits = digest.prefix(6).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return MACAddress(truncating: bits & ~0x0300_0000_0000 | 0x0200_0000_0000)
    }
}

/// What has the name of a host end now.
package enum ObservedLink: Sendable, Equatable {
    /// Nothing.
    case absent
    /// A link with this alias.
    case present(index: UInt32, alias: String?)
    /// A pair without an alias, of the host end's MAC, which the record of an ADD that was killed leads to: it was
    /// killed between making the pair and marking it.
    case unmarked(index: UInt32)
}
