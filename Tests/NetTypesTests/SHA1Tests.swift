import NetTypes
import Testing

@Suite("SHA-1")
struct SHA1Tests {
    @Test(
        "digests as RFC 3174 §7.3 and Calico's link names have them",
        arguments: [
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        ])
    func vectors(text: String, hex: String) {
        #expect(SHA1.hex(text) == hex)
    }

    @Test("names the pod default/nginx and the VTEP of node1 as Calico does")
    func calicoNames() {
        #expect(SHA1.hex("default.nginx").hasPrefix("c440f455693"))
        #expect(SHA1.digest("node1".utf8).prefix(5) == [0xf9, 0x37, 0xc3, 0x7e, 0x94])
    }
}
