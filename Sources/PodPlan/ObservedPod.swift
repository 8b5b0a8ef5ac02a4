package import NetTypes

/// A pod's link as it is, in the host's namespace and in the pod's.
package struct ObservedPod: Sendable, Equatable {
    /// One end of the link, with what is on it.
    package struct End: Sendable, Equatable {
        /// The index of the link.
        package var index: UInt32
        /// The other end's index in its own namespace; nil if the link is no pair.
        package var peerIndex: UInt32?
        /// The bridge, bond or VRF it belongs to.
        package var masterIndex: UInt32?
        /// The MTU in octets.
        package var mtuBytes: UInt32
        /// The link-layer address.
        package var macAddress: MACAddress?
        /// Whether it is administratively up.
        package var isUp: Bool
        /// The alias.
        package var alias: String?
        /// The addresses on the link.
        package var addresses: [CIDRAddress]
        /// The routes: the host's over this link, or all of the pod's.
        package var routes: [Route]
        /// The neighbours on the link.
        package var neighbours: [Neighbour]
        /// The names of the other links that routes leave by.
        package var otherLinks: [UInt32: String] = [:]

        /// Describes an end.
        package init(
            index: UInt32, peerIndex: UInt32?, masterIndex: UInt32? = nil, mtuBytes: UInt32,
            macAddress: MACAddress?, isUp: Bool, alias: String? = nil,
            addresses: [CIDRAddress] = [], routes: [Route] = [], neighbours: [Neighbour] = [],
        ) {
            self.index = index
            self.peerIndex = peerIndex
            self.masterIndex = masterIndex
            self.mtuBytes = mtuBytes
            self.macAddress = macAddress
            self.isUp = isUp
            self.alias = alias
            self.addresses = addresses
            self.routes = routes
            self.neighbours = neighbours
        }
    }

    /// The way by which the host sends packets to an address, whatever table it is of.
    package struct Way: Sendable, Equatable {
        /// The network that the way's route leads to; nil where there is no route that packets could leave by.
        package var destination: IPPrefix?
        /// The link by which they leave; nil where they do not.
        package var linkIndex: UInt32?
        /// The way in the words of `ip route`, or why there is none.
        package var words: String

        /// Describes a way.
        package init(destination: IPPrefix?, linkIndex: UInt32?, words: String) {
            self.destination = destination
            self.linkIndex = linkIndex
            self.words = words
        }
    }

    /// The host's end; nil if no link has its name.
    package var host: End?
    /// By which way the host sends packets for the pod's addresses.
    package var ways: [IPAddress: Way] = [:]
    /// The settings of the host's end that could be read.
    package var settings: [HostSetting: UInt32]
    /// The pod's end; nil if no link of the pod has its name.
    package var pod: End?

    /// Joins the two sides.
    package init(host: End?, settings: [HostSetting: UInt32], pod: End?) {
        self.host = host
        self.settings = settings
        self.pod = pod
    }
}

/// What plugins later in the chain have changed of the pod's end, by the chain's result: that is no difference.
package struct LaterChanges: Sendable, Equatable {
    /// The MTU of the pod's end in octets.
    package var mtuBytes: UInt32?
    /// The link-layer address of the pod's end.
    package var macAddress: MACAddress?

    /// Describes the changes; nil where there is none.
    package init(mtuBytes: UInt32? = nil, macAddress: MACAddress? = nil) {
        self.mtuBytes = mtuBytes
        self.macAddress = macAddress
    }
}
