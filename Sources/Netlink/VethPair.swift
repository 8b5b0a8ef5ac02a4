package import LinuxOS
package import NetTypes

/// A pair of virtual Ethernet links to be made, the pod's end in the pod's namespace from its first moment.
package struct VethPair: Sendable, Hashable {
    /// The name of the end in the socket's namespace.
    package var hostName: String
    /// The name of the end in the pod.
    package var podName: String
    /// The descriptor of the pod's namespace: the `NetNS` it was taken from must outlive the request.
    package var podNetNSDescriptor: Int32
    /// The largest packet in octets, of both ends.
    package var mtuBytes: UInt32
    /// The host end's address.
    package var hostMAC: MACAddress
    /// The pod end's address; nil lets the kernel draw one.
    package var podMAC: MACAddress?

    /// Makes a pair.
    package init(
        hostName: String, podName: String, podNetNS: borrowing NetNS, mtuBytes: UInt32,
        hostMAC: MACAddress = .hostEnd, podMAC: MACAddress? = nil,
    ) {
        self.hostName = hostName
        self.podName = podName
        podNetNSDescriptor = podNetNS.descriptor.rawValue
        self.mtuBytes = mtuBytes
        self.hostMAC = hostMAC
        self.podMAC = podMAC
    }
}
