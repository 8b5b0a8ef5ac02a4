import LinuxOS
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("The TCP-MD5 keys of a listening socket")
struct ListeningKeysTests {
    /// A socket with room for so many keys.
    private struct Socket {
        var room: Int
        var keys: [IPAddress: [UInt8]] = [:]

        mutating func set(_ key: [UInt8], _ peer: IPAddress) throws(SystemError) {
            if key.isEmpty {
                keys[peer] = nil
            } else if keys[peer] != nil || keys.count < room {
                keys[peer] = key
            } else {
                throw SystemError("TCP_MD5SIG", "\(peer)", .ENOMEM)
            }
        }
    }

    private static func wanted(_ peers: ClosedRange<UInt8>, _ word: String = "key") -> [IPAddress: Secret] {
        let secret = Secret(bytes: Array(word.utf8))
        return Dictionary(uniqueKeysWithValues: peers.map { (IPAddress.v4(IPv4Address(10, 0, 0, $0)), secret) })
    }

    @Test("a key counts as set only where it was, and one that cannot be set keeps no other from being")
    func noRoom() {
        let keys = ListeningKeys(family: .ipv4)
        var socket = Socket(room: 3)
        let few = Self.wanted(1...2)
        #expect(keys.change(to: few) { key, peer throws(SystemError) in try socket.set(key, peer) }.peers.isEmpty)
        let many = Self.wanted(1...5)
        let outcome = keys.change(to: many) { key, peer throws(SystemError) in try socket.set(key, peer) }
        #expect(outcome.peers == Set(Self.wanted(4...5).keys) && outcome.error?.code == .ENOMEM)
        for peer in many.keys { #expect((keys.key(for: peer) == many[peer]) == (socket.keys[peer] != nil)) }
        // Those that have gone make room, and what failed is tried again.
        let others = Self.wanted(3...5, "another")
        #expect(keys.change(to: others) { key, peer throws(SystemError) in try socket.set(key, peer) }.peers.isEmpty)
        #expect(socket.keys == others.mapValues(\.bytes) && keys.key(for: .v4(IPv4Address(10, 0, 0, 1))) == nil)
    }

    @Test("a socket has keys of its own family, and what is set already is not set again")
    func family() throws {
        let keys = ListeningKeys(family: .ipv6)
        var wanted = Self.wanted(1...1)
        let peer = try #require(IPAddress("fd00::1"))
        wanted[peer] = Secret(bytes: [1])
        var calls: [IPAddress] = []
        for _ in 0..<2 { _ = keys.change(to: wanted) { _, peer throws(SystemError) in calls.append(peer) } }
        #expect(calls == [peer])
    }
}
