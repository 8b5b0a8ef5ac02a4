import NetTypes
import NodeLink
import Testing

@testable import apusctl

/// Who listens where BGP should, by the kernel's tables.
struct TCPListenerTests {
    private func listener(_ address: String, state: String = "0A") -> TCPListener? {
        TCPListener(line: "   0: \(address) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000 0 0 4711 1")
    }

    @Test(
        "a line of the tables is an address and a port",
        arguments: [
            ("0100007F:00B3", "127.0.0.1", UInt16(179)), ("00000000:06FE", "0.0.0.0", 1790),
            ("00000000000000000000000000000000:00B3", "::", 179),
            ("B80D0120000000000000000001000000:00B3", "2001:db8::1", 179),
            ("0000000000000000FFFF00000101A8C0:00B3", "192.168.1.1", 179),
        ])
    func reads(text: String, address: String, port: UInt16) throws {
        let found = try #require(listener(text))
        #expect(found.address == IPAddress(address))
        #expect(found.port == port && found.inode == "4711")
    }

    @Test("what does not listen, and what is no such line, is none", arguments: ["01", "06"])
    func others(state: String) {
        #expect(listener("0100007F:00B3", state: state) == nil)
        #expect(TCPListener(line: "") == nil)
        #expect(listener("0100:7F:00B3") == nil && listener("0100007F0100007F:00B3") == nil)
    }

    @Test(
        "a port is taken by who has the same address, or all, at that very port",
        arguments: [
            (["0101A8C0:00B3"], ["python3"]), (["00000000:00B3"], ["python3"]),
            (["00000000000000000000000000000000:00B3"], ["python3"]), (["0100007F:00B3"], []),
            (["00000000:06FE"], []), (["00000000:0050", "0201A8C0:00B3"], []),
        ])
    func port(lines: [String], expected: [String]) throws {
        var diagnosis = Diagnosis()
        let listening = BGPListening(port: 179, addresses: [try #require(IPAddress("192.168.1.1"))])
        diagnosis.checkPort(listening, lines.compactMap { listener($0) }) { _ in "python3" }
        #expect(
            diagnosis.findings.map(\.problem) == expected.map { "TCP port 179 is held by \($0), not by apusd" })
    }

    @Test("what apusd has is not taken, and who listens at one address keeps it from listening at all")
    func own() throws {
        let listeners = ["0101A8C0:00B3", "00000000000000000000000000000000:00B3"].compactMap { listener($0) }
        var diagnosis = Diagnosis()
        let own = BGPListening(port: 179, addresses: [try #require(IPAddress("192.168.1.1"))])
        diagnosis.checkPort(own, listeners) { $0 == listeners[0] ? "apusd" : "python3" }
        #expect(diagnosis.findings.isEmpty)
        let everywhere = BGPListening(port: 179, addresses: [try #require(IPAddress("0.0.0.0"))])
        diagnosis.checkPort(everywhere, [listeners[0]]) { _ in "bird" }
        #expect(diagnosis.findings.count == 1)
    }
}
