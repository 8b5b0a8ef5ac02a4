import NetTypes
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "an address reads and prints its canonical text",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("10.244.0.1", "10.244.0.1"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("fe80::ecee:eeff:feee:eeee", "fe80::ecee:eeff:feee:eeee"),
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::ffff:10.0.0.1", "::ffff:a00:1"), ("1::", "1::"),
        ])
    func canonicalText(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(
        "what is not an address is refused",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1..2.3", ".1.2.3", "1.2.3.",
            "-1.2.3.4",
            ":", ":::", "1:::2", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
            "::1.2.3", "1.2.3.4::", "fe80::1%eth0", "1:", ":1", "g::", "::1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("IPv4 sorts before IPv6, and each by number")
    func order() throws {
        let texts = ["9.0.0.1", "10.0.0.1", "::1", "fe80::1"]
        let addresses = try texts.map { try #require(IPAddress($0)) }
        #expect(addresses.reversed().sorted() == addresses)
    }

    @Test("only an address that can name one host is a unicast host")
    func unicastHost() {
        for text in ["10.0.0.1", "169.254.1.1", "223.1.1.1", "fe80::1", "2001:db8::1"] {
            #expect(IPAddress(text)?.isUnicastHost == true, "\(text)")
        }
        for text in ["0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255", "::", "::1", "ff02::1"] {
            #expect(IPAddress(text)?.isUnicastHost == false, "\(text)")
        }
    }

    @Test("a MAC address reads and prints six octets, and nothing else")
    func macAddress() throws {
        let mac = try #require(MACAddress("66:F9:37:c3:7e:94"))
        #expect(mac.description == "66:f9:37:c3:7e:94")
        #expect(mac.bytes == [0x66, 0xf9, 0x37, 0xc3, 0x7e, 0x94])
        #expect(MACAddress(bytes: mac.bytes) == mac)
        #expect(mac.isUnicast)
        #expect(MACAddress("01:00:5e:00:00:01")?.isUnicast == false)
        #expect(MACAddress("00:00:00:00:00:00")?.isUnicast == false)
        for text in [
            "", "66:f9:37:c3:7e", "66:f9:37:c3:7e:94:00", "66:f9:37:c3:7e:9", "6g:f9:37:c3:7e:94", "66f937c37e94",
        ] {
            #expect(MACAddress(text) == nil, "\(text)")
        }
        #expect(MACAddress(bytes: [1, 2, 3]) == nil)
    }

    @Test(
        "an AS number reads asplain and asdot",
        arguments: [("64512", 64512), ("1.10", 65546), ("4294967295", UInt32.max), ("0", 0)] as [(String, UInt32)])
    func asNumber(text: String, value: UInt32) {
        #expect(ASNumber(text) == ASNumber(value))
    }

    @Test(
        "what is not an AS number is refused", arguments: ["", "-1", "4294967296", "1.65536", "1.2.3", ".", "1.", "+1"])
    func asNumberRefused(text: String) {
        #expect(ASNumber(text) == nil)
    }

    @Test("an AS number above 65535 is AS_TRANS in two octets")
    func asTrans() {
        #expect(ASNumber(65535).twoOctets == 65535)
        #expect(ASNumber(65536).twoOctets == 23456)
    }

    @Test("a router id is never zero")
    func routerID() {
        #expect(RouterID("0.0.0.0") == nil)
        #expect(RouterID(rawValue: 0) == nil)
        #expect(RouterID("192.168.1.1")?.description == "192.168.1.1")
    }
}
