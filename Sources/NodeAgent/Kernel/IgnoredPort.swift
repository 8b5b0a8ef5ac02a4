import LinuxOS

/// The port whose doings a listening socket leaves out, whichever socket listens at the time.
///
/// A descriptor's number is somebody else's as soon as its socket is closed: a wish is carried out on the socket that
/// listens now, and again on the one that takes its place.
struct IgnoredPort: Sendable {
    private(set) var port: NetlinkPort?
    private(set) var descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The port is another one.
    mutating func ignore(
        _ port: NetlinkPort, by filter: (NetlinkPort, Int32) throws(SystemError) -> Void,
    ) throws(SystemError) {
        self.port = port
        try filter(port, descriptor)
    }

    /// The listening socket is another one.
    mutating func listen(
        on descriptor: Int32, by filter: (NetlinkPort, Int32) throws(SystemError) -> Void,
    ) throws(SystemError) {
        self.descriptor = descriptor
        if let port { try filter(port, descriptor) }
    }
}
