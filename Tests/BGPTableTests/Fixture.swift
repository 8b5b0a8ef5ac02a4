import BGPTable
import BGPWire
import NetTypes

func prefix(_ text: String) -> IPPrefix { parsed(IPPrefix(text), text) }
func address(_ text: String) -> IPAddress { parsed(IPAddress(text), text) }
func routerID(_ text: String) -> RouterID { parsed(RouterID(text), text) }

private func parsed<Value>(_ value: Value?, _ text: String) -> Value {
    guard let value else { preconditionFailure("the test is wrong: \(text)") }
    return value
}

let ownAS = ASNumber(64512)
let ownAddress = address("192.168.1.1")
let ownAddress6 = address("fd00::1")

func identity() -> RIB.Identity {
    RIB.Identity(localAS: ownAS, routerID: routerID("192.168.1.1"), localAddresses: [ownAddress, ownAddress6])
}

func makeRIB(pools: [String] = ["10.244.0.0/16", "fd10::/48"], isExportHeld: Bool = false) -> RIB {
    RIB(
        identity: identity(),
        importPolicy: ImportPolicy(pools: pools.map(prefix), nodeAddresses: [address("192.168.1.1")]),
        isExportHeld: isExportHeld)
}

/// A peer at 192.168.1.`host` (so is its identifier), internal unless `peerAS` says otherwise.
func role(
    _ host: Int, peerAS: ASNumber = ownAS, isReflectorClient: Bool = false,
    families: Set<AddressFamily> = [.ipv4], nextHopMode: PeerRole.NextHopMode = .automatic,
) -> PeerRole {
    PeerRole(
        localAS: ownAS, peerAS: peerAS, bgpID: routerID("192.168.1.\(host)"),
        peerAddress: address("192.168.1.\(host)"),
        localNextHops: [.ipv4: NextHop(ownAddress), .ipv6: NextHop(ownAddress6)],
        families: families, isReflectorClient: isReflectorClient, nextHopMode: nextHopMode)
}

func announce(
    _ prefixes: [String], via nextHop: String = "192.168.1.2", _ attributes: PathAttributes = PathAttributes(),
) -> UpdateMessage {
    let family = AFISAFI(prefix(prefixes[0]).family)
    let reach = UpdateMessage.Reach(
        family: family, nextHop: NextHop(address(nextHop)), prefixes: prefixes.map { prefix($0) })
    return UpdateMessage(reachable: [reach], attributes: attributes)
}

func withdraw(_ prefixes: [String]) -> UpdateMessage {
    UpdateMessage(unreachable: [
        UpdateMessage.Unreach(family: AFISAFI(prefix(prefixes[0]).family), prefixes: prefixes.map { prefix($0) })
    ])
}

func local(_ text: String, _ attributes: PathAttributes = PathAttributes(), isExclusive: Bool = true) -> LocalRoute {
    LocalRoute(prefix: prefix(text), attributes: attributes, isExclusive: isExclusive)
}

func path(_ numbers: UInt32...) -> ASPath { ASPath(sequence: numbers.map { ASNumber($0) }) }

func tunnel(_ value: [UInt8]) -> RawAttribute {
    RawAttribute(flags: [.optional, .transitive], type: 23, value: value)
}

extension RIB {
    /// Adds an iBGP peer per host number, its id the same number.
    mutating func addPeers(_ hosts: Int...) {
        for host in hosts { addPeer(PeerID(UInt32(host)), role: role(host)) }
    }

    /// Everything that is to be sent to a peer now.
    mutating func drainUpdates(for id: PeerID, limit: Int = 1000) -> [OutgoingUpdate] {
        var all: [OutgoingUpdate] = []
        while true {
            let updates = nextUpdates(for: id, limit: limit)
            if updates.isEmpty { return all }
            all += updates
        }
    }
}

extension [OutgoingUpdate] {
    var announcements: [OutgoingAnnouncement] {
        compactMap { if case .announce(let announcement) = $0 { announcement } else { nil } }
    }
    var announced: [String] { announcements.flatMap(\.prefixes).map(\.description).sorted() }
    var withdrawn: [String] {
        var prefixes: [String] = []
        for case .withdraw(_, let some) in self { prefixes += some.map(\.description) }
        return prefixes.sorted()
    }
    var endOfRIBs: [AddressFamily] { compactMap { if case .endOfRIB(let family) = $0 { family } else { nil } } }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
