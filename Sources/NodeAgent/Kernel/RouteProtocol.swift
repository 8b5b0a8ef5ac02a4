import LinuxOS
import Logging

/// The route protocol number that marks what Apus puts on the host, and its name for people.
enum RouteProtocol {
    /// Not bird's 12 nor FRR's 186, whose daemons sweep what bears their number.
    static let number: UInt8 = 97

    private static let directory = "/etc/iproute2/rt_protos.d"
    private static let file = directory + "/apus.conf"

    /// Tells iproute2 the name, so that `ip route` prints `proto apus`. A system that does not want it goes without.
    static func name(logger: Logger) {
        do {
            guard try FileStatus.of(file) == nil else { return }
            try Files.createDirectory(directory, mode: 0o755)
            try Files.replace(file, with: Array("\(number)\tapus\n".utf8), mode: 0o644)
        } catch {
            logger.info("ip route will print proto \(number), not proto apus", metadata: ["reason": "\(error)"])
        }
    }
}
