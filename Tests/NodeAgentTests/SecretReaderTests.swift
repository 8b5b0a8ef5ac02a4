import Glibc
import LinuxOS
import Resources
import Testing

@testable import NodeAgent

@Suite("Passwords beside the resources")
struct SecretReaderTests {
    private static let peer = """
        apiVersion: projectcalico.org/v3
        kind: BGPPeer
        metadata: {name: tor}
        spec: {peerIP: 192.168.1.9, asNumber: 65000, password: {secretKeyRef: {name: tor, key: k}}}
        ---
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: {name: node1}
        spec: {bgp: {ipv4Address: 192.168.1.1/24}}
        """

    /// Reads the resources with this password file beside them, or none.
    private func read(_ password: String?, mode: UInt32 = 0o600) throws -> DecodedResources {
        let directory = "/tmp/apus-secrets-\(getpid())-\(UInt64.random(in: .min ... .max))"
        try Files.createDirectory("\(directory)/secrets/tor")
        defer {
            _ = try? Files.remove("\(directory)/secrets/tor/k")
            _ = try? Files.remove("\(directory)/peer.yaml")
            for name in ["/secrets/tor", "/secrets", ""] { _ = try? Files.removeDirectory(directory + name) }
        }
        try Files.replace("\(directory)/peer.yaml", with: Array(Self.peer.utf8))
        if let password { try Files.replace("\(directory)/secrets/tor/k", with: Array(password.utf8), mode: mode) }
        return ConfigurationReader(path: directory).read()
    }

    @Test("a password is the file's text without the end of its line, and shows itself to nobody")
    func read() throws {
        let view = try #require(try read("sesame\n").configuration.view(of: "node1"))
        let password = try #require(view.peers.first?.password)
        #expect(password == Secret(bytes: Array("sesame".utf8)))
        #expect(!"\(view)".contains("\(Array("sesame".utf8))"))
        var dumped = ""
        dump(password, to: &dumped)
        #expect(dumped.contains("(secret)") && !dumped.contains("115"))
    }

    @Test(
        "a password that is not to be had refuses the configuration, and the peer does not come up without one",
        arguments: [
            (nil, UInt32(0o600), "cannot be read: No such file or directory"),
            ("sesame", 0o640, "mode 0640: others may read it; chmod 0600"),
            ("", 0o600, "expected 1 to 80 octets, found 0"),
            (String(repeating: "x", count: 81), 0o600, "expected 1 to 80 octets, found 81"),
        ])
    func refused(_ password: String?, _ mode: UInt32, _ reason: String) throws {
        let decoded = try read(password, mode: mode)
        #expect(!decoded.isWhole)
        #expect(
            decoded.diagnostics.map(\.description) == ["secrets/tor/k: BGPPeer/tor: spec.password: \(reason)"])
        #expect(try #require(decoded.configuration.view(of: "node1")).peers == [])
    }
}
