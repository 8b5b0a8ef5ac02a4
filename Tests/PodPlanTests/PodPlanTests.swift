import IPAMCore
import NetTypes
import PodPlan
import Testing

@Suite("Pod plan")
struct PodPlanTests {
    let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")

    func link(_ addresses: String...) throws -> PodLink {
        PodLink(
            alias: try #require(LinkAlias(key)), hostName: "cali0123456789a",
            addresses: addresses.compactMap { IPAddress($0) },
            mtuBytes: 1450)
    }

    @Test("A Kubernetes pod's link is called as Calico calls it")
    func kubernetesName() {
        #expect(HostLinkName.name(for: key, podNamespace: "default", podName: "nginx") == "calic440f455693")
    }

    @Test(
        "Any other link is called after its key",
        arguments: [("default", nil, "eth0"), (nil, "nginx", "eth0"), (nil, nil, "eth0"), ("default", "nginx", "net1")])
    func keyName(namespace: String?, pod: String?, ifName: String) {
        let key = AttachmentKey(network: "net", containerID: "c1", ifName: ifName)
        let name = HostLinkName.name(for: key, podNamespace: namespace, podName: pod)
        #expect(name == "cali" + SHA1.hex("net\0c1\0\(ifName)").prefix(11))
        #expect(name.utf8.count == 15)
    }

    @Test("The ids of two hundred calls of cnitool and of twenty of ctr give as many names")
    func distinctNames() {
        // cnitool makes its id of the namespace's path; ctr's all begin with the containerd namespace.
        let tool = (1...200).map { "cnitool-" + SHA1.hex("/run/netns/pod\($0)").prefix(20) }
        let ctr = (1...20).map { "default-web\($0)" }
        let names = (tool + ctr).map { id in
            HostLinkName.name(
                for: AttachmentKey(network: "net", containerID: id, ifName: "eth0"), podNamespace: nil, podName: nil)
        }
        #expect(Set(names).count == 220)
        #expect(names.allSatisfy { $0.utf8.count == 15 })
    }

    @Test("An alias is read back")
    func aliasRoundTrip() throws {
        let alias = try #require(LinkAlias(key))
        #expect(alias.description == "apus:net:c1:eth0")
        #expect(LinkAlias(parsing: alias.description) == alias)
    }

    @Test(
        "An alias that Apus has not made is nobody's",
        arguments: ["", "apus", "apus:net:c1", "apus:net::eth0", "apus:a:b:c:d", "APUS:net:c1:eth0", "uplink"])
    func foreignAlias(text: String) {
        #expect(LinkAlias(parsing: text) == nil)
    }

    @Test("An alias longer than the kernel keeps is none")
    func longAlias() {
        let fits = String(repeating: "c", count: 255 - "apus:net::eth0".utf8.count)
        #expect(LinkAlias(AttachmentKey(network: "net", containerID: fits, ifName: "eth0")) != nil)
        #expect(LinkAlias(AttachmentKey(network: "net", containerID: fits + "c", ifName: "eth0")) == nil)
    }

    @Test("The pod's MAC is local, unicast, and the same each time")
    func podMAC() throws {
        let mac = try link().podMAC
        #expect(mac.isUnicast)
        #expect(mac.rawValue >> 40 & 0x02 == 0x02)
        #expect(try mac == link("10.0.0.1").podMAC)
        let other = AttachmentKey(network: "net", containerID: "c2", ifName: "eth0")
        #expect(
            try PodLink(alias: #require(LinkAlias(other)), hostName: "x", addresses: [], mtuBytes: 1500).podMAC != mac)
    }

    @Test("The steps come in the order the kernel wants, and only the pair has an inverse")
    func order() throws {
        let link = try link("10.244.0.1")
        let plan = try PodPlan(link, observed: .absent, hostHasIPv6: true)
        guard plan.steps.count == 4, case .createPair = plan.steps[0], case .configureHost(let host) = plan.steps[1],
            case .configurePod = plan.steps[2], case .routeToPod = plan.steps[3]
        else {
            Issue.record("unexpected steps \(plan.steps)")
            return
        }
        #expect(plan.steps.map(\.inverse) == [.deleteLink(name: link.hostName, alias: link.alias), nil, nil, nil])
        #expect(host.gatewayAddress == nil)
        #expect(host.hasIPv6)
    }

    @Test(
        "A link too small for IPv6 gets no IPv6 setting, and an IPv6 address is refused",
        arguments: [(1279, false), (1280, true), (576, false)] as [(UInt32, Bool)])
    func smallMTU(mtuBytes: UInt32, hasIPv6: Bool) throws {
        func plan(_ address: String) throws -> PodPlan {
            let link = PodLink(
                alias: try #require(LinkAlias(key)), hostName: "cali0", addresses: [try #require(IPAddress(address))],
                mtuBytes: mtuBytes)
            return try PodPlan(link, observed: .absent, hostHasIPv6: true)
        }
        guard case .configureHost(let host) = try plan("10.244.0.1").steps[1] else {
            Issue.record("no host end")
            return
        }
        #expect(host.hasIPv6 == hasIPv6)
        if hasIPv6 {
            _ = try plan("fd00::1")
        } else {
            #expect(throws: PodPlanError.mtuTooSmall(mtuBytes)) { try plan("fd00::1") }
        }
    }

    @Test("A destination that is listed twice is one route")
    func destinations() throws {
        let listed = ["10.0.0.0/8", "0.0.0.0/0", "10.0.0.0/8"].compactMap { IPPrefix($0) }
        let link = PodLink(
            alias: try #require(LinkAlias(key)), hostName: "cali0", addresses: [.v4(IPv4Address(10, 0, 0, 1))],
            mtuBytes: 1500, destinations: listed)
        #expect(link.destinations == Array(listed.prefix(2)))
    }

    @Test("What a killed ADD left is deleted first")
    func leftover() throws {
        let plan = try PodPlan(
            link("10.244.0.1"), observed: .present(index: 7, alias: "apus:net:c1:eth0"), hostHasIPv6: true)
        #expect(plan.steps.first == .deleteLeftover(linkIndex: 7))
        #expect(plan.steps.count == 5)
        let unmarked = try PodPlan(link("10.244.0.1"), observed: .unmarked(index: 8), hostHasIPv6: true)
        #expect(unmarked.steps.first == .deleteLeftover(linkIndex: 8))
    }

    @Test(
        "A link of that name that is not this pod's is left alone",
        arguments: [
            (nil, "not made by Apus"), ("apus:net:c9:eth0", "belongs to net/c9/eth0"), ("uplink", "alias \"uplink\""),
        ])
    func foreignLink(alias: String?, text: String) throws {
        let link = try link("10.244.0.1")
        let error = #expect(throws: PodPlanError.self) {
            try PodPlan(link, observed: .present(index: 7, alias: alias), hostHasIPv6: true)
        }
        #expect(error?.description.contains(text) == true)
    }

    @Test("In the pod: link, gateway, default route, neighbour, the addresses last")
    func podOperations() throws {
        let plan = try PodPlan(link("10.244.0.1", "fd00::1"), observed: .absent, hostHasIPv6: true)
        guard case .configurePod(let pod) = plan.steps[2] else {
            Issue.record("unexpected step \(plan.steps[2])")
            return
        }
        let words = pod.operations(linkIndex: 2).map { operation in
            switch operation {
            case .linkUp: "up"
            case .route(let route): "route \(route)"
            case .neighbour(let neighbour): "neighbour \(neighbour)"
            case .address(let address): "address \(address)"
            }
        }
        #expect(
            words == [
                "up", "route 169.254.1.1/32 dev if2 scope link proto 3",
                "route 0.0.0.0/0 via 169.254.1.1 dev if2 proto 3",
                "neighbour 169.254.1.1 dev if2 lladdr ee:ee:ee:ee:ee:ee PERMANENT",
                "route fe80::ecee:eeff:feee:eeee/128 dev if2 proto 3",
                "route ::/0 via fe80::ecee:eeff:feee:eeee dev if2 proto 3",
                "neighbour fe80::ecee:eeff:feee:eeee dev if2 lladdr ee:ee:ee:ee:ee:ee PERMANENT",
                "address 10.244.0.1/32", "address fd00::1/128",
            ])
    }

    @Test("On the host: a /32 of protocol 97 and a permanent neighbour")
    func hostRoutes() throws {
        let link = try link("10.244.0.1")
        let way = RouteToPod(link)
        #expect(way.routes(linkIndex: 9).map(\.description) == ["10.244.0.1/32 dev if9 scope link proto 97"])
        let neighbour = try #require(way.neighbours(linkIndex: 9).first)
        #expect(neighbour.macAddress == link.podMAC)
        #expect(neighbour.isPermanent)
        #expect(neighbour.protocolNumber == 97)
    }
}

@Suite("Undo stack")
struct UndoStackTests {
    struct Refusal: Error, Equatable { let step: Int }

    @Test("Unwinding goes backwards, and a failure is reported without keeping the rest from being tried")
    func unwind() {
        var stack = UndoStack<Int>()
        for step in 1...4 { stack.push(step) }
        var undone: [Int] = []
        var reported: [Int] = []
        stack.unwind { (step: Int) throws(Refusal) in
            if step == 3 { throw Refusal(step: step) }
            undone.append(step)
        } onFailure: { step, error in
            #expect(error == Refusal(step: step))
            reported.append(step)
        }
        #expect(undone == [4, 2, 1])
        #expect(reported == [3])
        #expect(stack.inverses.isEmpty)
    }

    @Test("After the commit there is nothing to take back")
    func commit() {
        var stack = UndoStack<Int>()
        stack.push(1)
        stack.commit()
        stack.unwind { (_: Int) throws(Refusal) in
            Issue.record("undone after the commit")
        } onFailure: { _, _ in
        }
        #expect(stack.inverses.isEmpty)
    }
}
