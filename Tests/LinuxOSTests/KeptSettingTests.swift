import LinuxOS
import TestKit
import Testing

@Suite("Settings that are read again and again", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct KeptSettingTests {
    private static let path = ["net", "ipv4", "ip_forward"]

    @Test("Each reading is of the moment, and of the namespace it was opened in")
    func reading() async throws {
        try await NetNSFixture.run { fixture in
            let other = try fixture.makeNetNS()
            let setting = KeptSetting(Self.path)
            for value in ["1", "0", "1"] {
                try Sysctl.write(Self.path, value)
                #expect(try setting.read() == value)
                #expect(try Sysctl.read(Self.path) == value)
            }
            let elsewhere = try other.within { () throws(SystemError) in
                try Sysctl.write(Self.path, "0")
                return try setting.read()
            }
            #expect(elsewhere == "1")
        }
    }

    @Test("One that is not there is an error each time")
    func missing() {
        let setting = KeptSetting(["net", "ipv4", "no_such_setting"])
        for _ in 0..<2 { #expect(throws: SystemError.self) { try setting.read() } }
    }

    @Test("A namespace is entered from a known one and left for it")
    func knownHome() async throws {
        try await NetNSFixture.run { fixture in
            let other = try fixture.makeNetNS()
            let home = SharedNetNS(try NetNS.current())
            let inside = try other.within(from: home, orThrow: { $0 }) { () throws(SystemError) in
                try NetNS.current().inode
            }
            #expect(inside == other.inode)
            #expect(try NetNS.current().inode == home.namespace.inode)
        }
    }
}
