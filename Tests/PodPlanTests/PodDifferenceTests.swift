import IPAMCore
import NetTypes
import PodPlan
import Testing

@Suite("A pod as it is and as it is to be")
struct PodDifferenceTests {
    /// One thing that is not as it was, and the words it is named by.
    struct Change: Sendable, CustomTestStringConvertible {
        let words: [String]
        let change: @Sendable (inout ObservedPod) -> Void

        init(_ words: String..., change: @escaping @Sendable (inout ObservedPod) -> Void) {
            self.words = words
            self.change = change
        }

        var testDescription: String { words.joined(separator: ", ") }
    }

    static let changes = [
        Change("host link cali1 is missing", "host route 10.0.0.1/32 dev cali1") { $0.host = nil },
        Change("pod link eth0 is missing") { $0.pod = nil },
        Change("the other end of host link cali1") { $0.pod?.peerIndex = 9 },
        Change("MTU of host link cali1 is 1400, not 1450") { $0.host?.mtuBytes = 1400 },
        Change("MTU of pod link eth0 is 1400, not 1450") { $0.pod?.mtuBytes = 1400 },
        Change("MAC of host link cali1 is 02:00:00:00:00:01, not ee:ee:ee:ee:ee:ee") {
            $0.host?.macAddress = MACAddress("02:00:00:00:00:01")
        },
        Change("MAC of pod link eth0 is 02:00:00:00:00:01") { $0.pod?.macAddress = MACAddress("02:00:00:00:00:01") },
        Change("MAC of pod link eth0 is none") { $0.pod?.macAddress = nil },
        Change("state of host link cali1 is down, not up") { $0.host?.isUp = false },
        Change("state of pod link eth0 is down, not up") { $0.pod?.isUp = false },
        Change("alias of host link cali1 is none, not apus:net:c1:eth0") { $0.host?.alias = nil },
        Change("proxy_arp of host link cali1 is 0, not 1") { $0.settings[.proxyARP] = 0 },
        Change("proxy_delay of host link cali1 is 80, not 0") { $0.settings[.proxyDelay] = 80 },
        Change("forwarding of host link cali1 is 0, not 1") { $0.settings[.forwarding] = 0 },
        Change("rp_filter of host link cali1 is 2, not 1") { $0.settings[.reversePathFilter] = 2 },
        Change("IPv6 forwarding of host link cali1 is missing") { $0.settings[.ipv6Forwarding] = nil },
        Change("address fe80::ecee:eeff:feee:eeee/64 of host link cali1") { $0.host?.addresses = [] },
        Change("address 10.0.0.1/32 of pod link eth0 is missing") { $0.pod?.addresses.remove(at: 0) },
        Change("address 10.0.0.1/32 of pod link eth0 is missing") {
            $0.pod?.addresses[0] = CIDRAddress(IPAddress.v4(IPv4Address(10, 0, 0, 1)), length: 24)
        },
        Change("pod route 169.254.1.1/32 dev eth0 is missing") { $0.removePodRoute("169.254.1.1/32") },
        Change("pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 is missing") { $0.removePodRoute("0.0.0.0/0") },
        Change("pod route ::/0 via fe80::ecee:eeff:feee:eeee dev eth0 is missing") { $0.removePodRoute("::/0") },
        Change("pod neighbour 169.254.1.1 dev eth0 is missing") { $0.pod?.neighbours.remove(at: 0) },
        Change("pod neighbour 169.254.1.1 dev eth0 is 02:00:00:00:00:01 permanent") {
            $0.pod?.neighbours[0].macAddress = MACAddress(truncating: 0x0200_0000_0001)
        },
        Change("pod neighbour 169.254.1.1 dev eth0 is ee:ee:ee:ee:ee:ee, not ee:ee:ee:ee:ee:ee permanent") {
            $0.pod?.neighbours[0].isPermanent = false
        },
        Change("host route 10.0.0.1/32 dev cali1 is missing") { $0.host?.routes.remove(at: 0) },
        Change("host route fd00::1/128 dev cali1 is missing") { $0.host?.routes.remove(at: 1) },
        Change("host neighbour 10.0.0.1 dev cali1 is missing") { $0.host?.neighbours.remove(at: 0) },
        Change("pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 are taken by 0.0.0.0/0 via 192.0.2.9 dev net1 proto 3") {
            // Of the same metric, and listed first.
            $0.addPodRoute("0.0.0.0/0", via: "192.0.2.9", at: 0)
        },
        Change("pod route ::/0 via fe80::ecee:eeff:feee:eeee dev eth0 are taken by ::/0 via fd00::9 dev net1") {
            $0.addPodRoute("::/0", via: "fd00::9", metric: 1023)
        },
        Change("pod route 169.254.1.1/32 dev eth0 are taken by 169.254.1.1/32 dev net1") {
            $0.addPodRoute("169.254.1.1/32", at: 0)
        },
        Change("pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 are taken by 0.0.0.0/0 dev net1 proto 3 metric 50") {
            $0.changePodRoute("0.0.0.0/0") { $0.metric = 100 }
            $0.addPodRoute("0.0.0.0/0", metric: 50)
        },
        Change("pod route 0.0.0.0/0 via 169.254.1.1 dev eth0 are taken by unreachable 0.0.0.0/0") {
            $0.addPodRoute("0.0.0.0/0", kind: .other(7), at: 0)
        },
        Change("host route 10.0.0.1/32 dev cali1 are taken by local 10.0.0.1/32 table 255") {
            $0.lead("10.0.0.1", by: "10.0.0.1/32", nil, "local 10.0.0.1/32 table 255")
        },
        Change("host route fd00::1/128 dev cali1 are taken by fd00::/64 dev eth1 table 100") {
            $0.lead("fd00::1", by: "fd00::/64", 9, "fd00::/64 dev eth1 table 100")
        },
        Change("host route 10.0.0.1/32 dev cali1 are taken by a blackhole") {
            $0.lead("10.0.0.1", by: nil, nil, "a blackhole")
        },
    ]

    static func link() throws -> PodLink {
        let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")
        return PodLink(
            alias: try #require(LinkAlias(key)), hostName: "cali1",
            addresses: [try #require(IPAddress("10.0.0.1")), try #require(IPAddress("fd00::1"))], mtuBytes: 1450)
    }

    /// What the kernel shows after the plan's steps.
    static func outcome(of plan: PodPlan) throws -> ObservedPod {
        let link = try link()
        var host = ObservedPod.End(
            index: 7, peerIndex: 2, mtuBytes: link.mtuBytes, macAddress: link.hostMAC, isUp: true)
        var pod = ObservedPod.End(index: 2, peerIndex: 7, mtuBytes: link.mtuBytes, macAddress: link.podMAC, isUp: false)
        var settings: [HostSetting: UInt32] = [:]
        for step in plan.steps {
            switch step {
            case .deleteLeftover, .createPair: break
            case .configureHost(let end):
                host.alias = end.alias.description
                host.addresses = [try #require(end.gatewayAddress)]
                for setting in end.settings { settings[setting] = setting.required }
            case .configurePod(let end):
                for operation in end.operations(linkIndex: 2) {
                    switch operation {
                    case .linkUp: pod.isUp = true
                    case .route(let route): pod.routes.append(route)
                    case .neighbour(let neighbour): pod.neighbours.append(neighbour)
                    case .address(let address): pod.addresses.append(address)
                    }
                }
            case .routeToPod(let way):
                host.routes = way.routes(linkIndex: 7)
                host.neighbours = way.neighbours(linkIndex: 7)
            }
        }
        var observed = ObservedPod(host: host, settings: settings, pod: pod)
        for address in link.addresses {
            observed.ways[address] = ObservedPod.Way(destination: address.hostPrefix, linkIndex: 7, words: "")
        }
        return observed
    }

    @Test("What the steps lead to differs in nothing")
    func same() throws {
        let plan = try PodPlan(Self.link(), observed: .absent, hostHasIPv6: true)
        #expect(try plan.differences(from: Self.outcome(of: plan)) == [])
    }

    @Test("Each thing that is altered is named", arguments: changes)
    func altered(_ change: Change) throws {
        let plan = try PodPlan(Self.link(), observed: .absent, hostHasIPv6: true)
        var observed = try Self.outcome(of: plan)
        change.change(&observed)
        let found = plan.differences(from: observed).map(\.description)
        for words in change.words {
            #expect(found.contains { $0.contains(words) }, "\(found)")
        }
    }

    @Test("What later plugins have added or changed counts for nothing")
    func tolerated() throws {
        let plan = try PodPlan(Self.link(), observed: .absent, hostHasIPv6: true)
        var observed = try Self.outcome(of: plan)
        let other = try #require(IPAddress("192.0.2.1"))
        observed.pod?.addresses.append(CIDRAddress(other, length: 24))
        observed.pod?.routes.append(
            Route(to: other.hostPrefix, hops: [Route.Hop(linkIndex: 2)], protocolNumber: 4))
        observed.pod?.neighbours.append(
            Neighbour(linkIndex: 2, address: other, macAddress: .hostEnd))
        observed.pod?.mtuBytes = 1300
        let mac = try #require(MACAddress("02:00:00:00:00:01"))
        observed.pod?.macAddress = mac
        #expect(plan.differences(from: observed, after: LaterChanges(mtuBytes: 1300, macAddress: mac)) == [])
        #expect(plan.differences(from: observed).count == 2)
    }

    @Test("Routes that take no packets of the pod's own routes count for nothing")
    func harmlessRoutes() throws {
        let plan = try PodPlan(Self.link(), observed: .absent, hostHasIPv6: true)
        var observed = try Self.outcome(of: plan)
        observed.addPodRoute("198.51.100.0/24")
        observed.addPodRoute("0.0.0.0/1")
        observed.addPodRoute("0.0.0.0/0", via: "192.0.2.9")
        observed.addPodRoute("0.0.0.0/0", via: "192.0.2.9", metric: 100, at: 0)
        observed.addPodRoute("::/0", via: "fd00::9", at: 0)
        observed.addPodRoute("::/0", kind: .other(7), metric: .max, at: 0)
        observed.addPodRoute("169.254.0.0/16", at: 0)
        #expect(plan.differences(from: observed) == [])
    }

    @Test("What takes a pod's packets because its route is missing is named only if it has the route's place")
    func missing() throws {
        let plan = try PodPlan(Self.link(), observed: .absent, hostHasIPv6: true)
        var observed = try Self.outcome(of: plan)
        observed.host?.routes.remove(at: 0)
        observed.lead("10.0.0.1", by: nil, nil, "a blackhole")
        #expect(plan.differences(from: observed) == [.missing("host route 10.0.0.1/32 dev cali1")])
        observed.lead("10.0.0.1", by: "10.0.0.1/32", 9, "10.0.0.1/32 dev eth1")
        #expect(plan.differences(from: observed).count == 2)
    }
}

extension ObservedPod {
    fileprivate mutating func removePodRoute(_ destination: String) {
        pod?.routes.removeAll { $0.destination == IPPrefix(destination) }
    }
    /// Another link's, whose index is 3.
    fileprivate mutating func addPodRoute(
        _ destination: String, via gateway: String? = nil, kind: Route.Kind = .unicast, metric: UInt32 = 0,
        at place: Int? = nil,
    ) {
        guard let destination = IPPrefix(destination) else { return }
        let hop = Route.Hop(linkIndex: 3, gateway: gateway.flatMap { IPAddress($0) })
        let route = Route(
            to: destination, kind: kind, hops: kind == .unicast ? [hop] : [], metric: metric, protocolNumber: 3)
        let end = pod?.routes.count ?? 0
        pod?.routes.insert(route, at: place ?? end)
        pod?.otherLinks[3] = "net1"
    }

    fileprivate mutating func changePodRoute(_ destination: String, _ change: (inout Route) -> Void) {
        guard let place = pod?.routes.firstIndex(where: { $0.destination == IPPrefix(destination) }),
            var route = pod?.routes[place]
        else { return }
        change(&route)
        pod?.routes[place] = route
    }

    fileprivate mutating func lead(_ address: String, by destination: String?, _ linkIndex: UInt32?, _ words: String) {
        guard let address = IPAddress(address) else { return }
        ways[address] = Way(destination: destination.flatMap { IPPrefix($0) }, linkIndex: linkIndex, words: words)
    }
}
