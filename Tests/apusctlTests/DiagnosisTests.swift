import NetTypes
import NodeLink
import Testing

@testable import apusctl

/// What is wrong by the daemon's own account.
struct DiagnosisTests {
    private let prefix: IPPrefix
    private let own: BlockRow
    private var account: Diagnosis.Account

    init() throws {
        prefix = try #require(IPPrefix("10.244.1.0/26"))
        own = BlockRow(
            cidr: try #require(IPPrefix("10.244.0.0/26")), node: "node1", pool: "p", isAnnounced: true, isClosed: false,
            allocated: 1, free: 62)
        var node = NodeStatus(name: "node1", asNumber: ASNumber(64512), routerID: "", startedAt: 0)
        node.version = ProgramVersion.current
        let status = StatusAnswer(node: node, peers: [])
        account = Diagnosis.Account(
            status: status, nodes: [NodeRow(name: "node2", asNumber: ASNumber(1), ipv4: "192.168.1.2/24", ipv6: nil)],
            pools: [], blocks: [own], routes: [], now: 1000)
    }

    private func problems(_ change: (inout Diagnosis.Account) -> Void) -> [String] {
        var changed = account
        change(&changed)
        return Diagnosis(account: changed).findings.map(\.problem)
    }

    @Test(
        "an offload that is off for a reason that nobody has written down is said; what works or was decided is not",
        arguments: [
            (TunnelStatus.Finding.broken, true), (.foundOff, true), (.decided, false), (.sound, false),
            (.unknown, false),
        ])
    func offload(finding: TunnelStatus.Finding, isSaid: Bool) {
        let found = problems { account in
            account.status.tunnels = [
                TunnelStatus(device: "vxlan.calico", isOffloadOn: !isSaid, finding: finding, peer: "10.244.1.0")
            ]
        }
        #expect(found.map { $0.hasPrefix("checksum offload of vxlan.calico is off") } == (isSaid ? [true] : []))
    }

    @Test("a pool in a network of nodes is a finding with what to do")
    func overlap() {
        let sentence = "IPPool/p 192.168.1.0/24 overlaps 192.168.1.0/24, the network of Node/node1 (192.168.1.1)"
        let found = problems { $0.status.overlaps = [sentence] }
        #expect(found == [sentence + ": what is a pod's of it cannot be a machine's"])
    }

    @Test("a node where nothing is wrong has no finding")
    func nothing() { #expect(problems { _ in }.isEmpty) }

    @Test(
        "modes differ where the announcement is not what the pool needs",
        arguments: [
            ("bgp", "", "programmed", false), ("bgp", "vxlan", "programmed", true),
            ("vxlan", "vxlan", "programmed", false), ("vxlan", "ipip", "not yet: x", true),
            ("vxlan", "", "programmed: no tunnel was announced; the Node resource's tunnel fields serve", false),
            ("vxlan", "", "not yet: x", true), ("ipip", "vxlan", "not yet: x", true),
            ("crosssubnet", "ipip", "programmed", false), ("crosssubnet", "", "not yet: x", true),
            ("crosssubnet", "", "programmed", false),
        ])
    func modes(mode: String, announced: String, state: String, differs: Bool) {
        let found = problems { account in
            account.pools = [
                PoolRow(
                    name: "p", cidr: prefix, mode: mode, blockSize: 26, natOutgoing: false, isDisabled: false,
                    nodeSelector: "")
            ]
            let route = RouteRow(
                prefix: prefix, nextHop: "192.168.1.2", peer: "", asPath: "", mode: mode, state: state, link: "",
                announced: announced)
            account.routes = [route, route]
        }
        // Once for a node, however many blocks it has.
        #expect(found.count { $0.hasPrefix("the modes differ: node2 announces") } == (differs ? 1 : 0))
    }

    @Test("what is refused of the configuration is named, with its file and what to do")
    func refusals() {
        var account = account
        let refusal = "pools.yaml:7: IPPool/p: spec.cidr: required, but absent"
        #expect(problems { $0.status.refusals = [refusal] } == ["the configuration is refused: \(refusal)"])
        account.status.refusals = [refusal]
        #expect(Diagnosis(status: account.status).findings.count == 1)
        #expect(NodeStatusText(account.status, now: 0).text.contains("Configuration refused: \(refusal)\n"))
    }

    @Test("what the daemon knows to be wrong is named, with the remedy, by the status too")
    func faults() {
        let fault = DaemonFault(subject: "tunl0", problem: "the module is missing", remedy: "modprobe ipip")
        #expect(problems { $0.status.faults = [fault] } == ["the module is missing"])
        var status = account.status
        status.faults = [fault]
        #expect(
            NodeStatusText(status, now: 0).text.contains("Fault: the module is missing\n  Remedy: modprobe ipip\n"))
    }

    @Test(
        "segments without the right signature are a finding for the peers that are down, with the counters",
        arguments: [
            (
                true, "start", ["TCPMD5Failure": 2, "TCPMD5NotFound": 3],
                "the password of 192.168.1.2 (node2) may not fit"
            ),
            (true, "start", ["TCPMD5NotFound": 3], "the password of 192.168.1.2 (node2) may not fit"),
            (true, "start", ["TCPMD5Unexpected": 3], nil), (true, "up", ["TCPMD5Failure": 2], nil),
            (true, "start", [:], nil), (false, "start", ["TCPMD5Failure": 2], nil),
            (false, "start", ["TCPMD5Unexpected": 4], "192.168.1.2 (node2) may have a password for this node"),
        ] as [(Bool, String, [String: Int64], String?)])
    func signatures(hasPassword: Bool, state: String, counters: [String: Int64], finding: String?) throws {
        var peer = PeerStatus(
            address: "192.168.1.2", family: .ipv4, type: "global", state: state, since: 0, info: "",
            asNumber: ASNumber(1),
            node: "node2")
        peer.hasPassword = hasPassword
        var diagnosis = Diagnosis()
        diagnosis.checkSignatures([peer], counters)
        #expect(diagnosis.findings.count == (finding == nil ? 0 : 1))
        let found = diagnosis.findings.first?.problem ?? ""
        #expect(found.hasPrefix(finding ?? ""))
        for (name, count) in counters where finding != nil { #expect(found.contains("\(name) \(count)")) }
    }

    @Test("the kernel's counters are read by their names")
    func counters() {
        let lines = [
            "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Failure", "TcpExt: 0 7 -1", "IpExt: InNoRoutes", "IpExt: 3",
        ]
        #expect(
            NodeKernel.counters(of: "TcpExt", in: lines) == [
                "SyncookiesSent": 0, "TCPMD5NotFound": 7, "TCPMD5Failure": -1,
            ])
        #expect(NodeKernel.counters(of: "MPTcpExt", in: lines).isEmpty)
        #expect(NodeKernel.counters(of: "TcpExt", in: Array(lines.prefix(1))).isEmpty)
    }

    @Test("a route whose entries were refused is a finding, be it in the kernel or not")
    func refusedEntries() {
        func found(_ state: String) -> [String] {
            problems { account in
                var route = RouteRow(
                    prefix: prefix, nextHop: "192.168.1.2", peer: "", asPath: "", mode: "vxlan", state: state, link: "")
                route.obstacle = .refused
                account.routes = [route]
            }
        }
        let reason = "its neighbour 10.244.1.0 on vxlan.calico was refused by the kernel: No buffer space available"
        #expect(found(reason) == ["\(prefix) via 192.168.1.2 is not in the kernel: \(reason)"])
        #expect(
            found("programmed, but \(reason)")
                == ["packets for \(prefix) via 192.168.1.2 may be lost: programmed, but \(reason)"])
    }

    @Test("a daemon of another version is named", arguments: ["", "0.0.9"])
    func version(_ version: String) {
        let found = problems { $0.status.node.version = version }
        #expect(found.count == 1 && found[0].hasSuffix(", and apusctl \(ProgramVersion.current)"))
    }

    @Test("what is doubtful in the configuration is named")
    func doubts() {
        let warning = "there is no Node/m, to which BGPPeer/p gives a peer"
        #expect(problems { $0.status.warnings = [warning] } == ["the configuration is doubtful: \(warning)"])
    }

    @Test("peers without room for their keys are counted, with the setting and what it needs")
    func keys() {
        func finding(_ shortage: KeyShortage) -> [String] {
            var account = account
            account.status.keyShortage = shortage
            return Diagnosis(account: account).findings.flatMap { [$0.problem, $0.remedy] }
        }
        var shortage = KeyShortage(
            peers: 7, first: "10.0.0.9", reason: "ENOMEM", limitBytes: 20480, neededBytes: 24576)
        let problem =
            "7 BGP peers are refused, 10.0.0.9 first: their keys cannot be set (ENOMEM), which net.core.optmem_max "
            + "(20480) has no room for"
        #expect(
            finding(shortage)
                == [problem, "sysctl -w net.core.optmem_max=24576; apusd tries again every second"])
        shortage = KeyShortage(peers: 1, first: "10.0.0.9", reason: "ENOPROTOOPT")
        #expect(finding(shortage).first?.hasSuffix("their keys cannot be set (ENOPROTOOPT)") ?? false)
    }

    @Test("a closed block whose pool is gone, or disabled, is no conflict")
    func closedBlocks() {
        #expect(problems { $0.blocks[0].isClosed = true }.first?.contains("no IPPool p holds it any more") ?? false)
        var pool = PoolRow(
            name: "p", cidr: own.cidr, mode: "bgp", blockSize: 26, natOutgoing: false, isDisabled: true,
            nodeSelector: "")
        func problem(_ pool: PoolRow) -> String? {
            problems {
                $0.blocks[0].isClosed = true
                $0.pools = [pool]
            }.first
        }
        #expect(problem(pool)?.contains("is disabled") ?? false)
        pool.isDisabled = false
        #expect(problem(pool)?.contains("in conflict") ?? false)
    }

    @Test(
        "a closed block has the reason that the daemon gives, and its remedy",
        arguments: [
            (.conflict, "it is in conflict: a and b", "remove one of the two"),
            (.selector, "IPPool p does not select the node (nodeSelector: zone == 'a')", "give the Node the labels"),
            (.disabled, "IPPool p is disabled", "remove disabled"),
            (.uses, "the allowedUses of IPPool p are others than pods", "add Workload"),
            (.affinityState, "its BlockAffinity is not confirmed", "write state: confirmed"),
            (.withdrawn, "no BlockAffinity gives it to the node any more", "give it to the node again"),
            (
                .noPool, "no IPPool p holds it any more, and other nodes do not reach its pods",
                "give the pool its former cidr back, or write it anew, on all nodes: its pods are reached again"
            ),
            (.other, "it is in conflict or being given up", "the log of apusd"),
        ] as [(BlockClosure, String, String)])
    func closures(closure: BlockClosure, reason: String, remedy: String) {
        var account = account
        account.blocks[0].isClosed = true
        account.blocks[0].closedBecause = closure
        account.blocks[0].conflict = closure == .conflict ? "a and b" : nil
        account.pools = [
            PoolRow(
                name: "p", cidr: own.cidr, mode: "bgp", blockSize: 26, natOutgoing: false,
                isDisabled: closure == .disabled || closure == .uses, nodeSelector: "zone == 'a'")
        ]
        let findings = Diagnosis(account: account).findings
        #expect(findings.map(\.problem) == ["block 10.244.0.0/26 is closed for new pods: \(reason)"])
        #expect(findings.first?.remedy.hasPrefix(remedy) ?? false)
    }

    @Test("a block that its pool keeps to the node is not missed by anybody")
    func keptBlock() {
        let found = problems { account in
            account.blocks[0].isAnnounced = false
            account.blocks[0].isKept = true
        }
        #expect(found.isEmpty)
    }

    @Test("routes that nobody speaks for are counted, with the age of the loss")
    func stale() {
        let found = problems { account in
            var session = BGPPeerRow(address: "192.168.1.2", asNumber: ASNumber(1), state: "Active")
            // It is tried again and again.
            session.since = 999
            session.downSince = 958
            session.stale = 3
            account.sessions = [session]
        }
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("3 routes of node2 are kept from a session that was lost at "))
        #expect(found[0].contains(", 42 s ago"))
    }

    @Test(
        "a route that is not in the kernel has the remedy of what stands against it",
        arguments: [
            (.conflict, "another program has that route: remove it (ip route show 10.244.1.0/26)"),
            (.linkDown, "see that eth0 is up"), (.tunnelDown, "the device must be there first"),
            (.tunnelUntold, "give the pool one mode on all nodes"), (.tunnelRefused, "make the Node resources"),
            (.unreachable, "the next hop must be on a link"), (.pending, "wait"),
            (.refused, "the kernel's own words say why"), (.other, "the log of apusd"), (nil, "the log of apusd"),
        ] as [(RouteObstacle?, String)])
    func routeRemedies(obstacle: RouteObstacle?, remedy: String) {
        var account = account
        var route = RouteRow(
            prefix: prefix, nextHop: "192.168.1.2", peer: "", asPath: "", mode: "bgp", state: "not yet: x",
            link: "eth0")
        route.obstacle = obstacle
        account.routes = [route]
        let findings = Diagnosis(account: account).findings
        #expect(findings.map(\.problem) == ["10.244.1.0/26 via 192.168.1.2 is not in the kernel: not yet: x"])
        #expect(findings.first?.remedy.hasPrefix(remedy) ?? false)
    }

    @Test("on a node that programs no routes neither they nor a block are missed")
    func onlyReflects() {
        let found = problems { account in
            account.status.node.programsRoutes = false
            account.blocks = []
            account.pools = [
                PoolRow(
                    name: "p", cidr: prefix, mode: "vxlan", blockSize: 26, natOutgoing: false, isDisabled: false,
                    nodeSelector: "")
            ]
            var route = RouteRow(
                prefix: prefix, nextHop: "192.168.1.2", peer: "", asPath: "", mode: "", state: "not programmed: x",
                link: "")
            route.obstacle = .disabled
            account.routes = [route]
        }
        #expect(found.isEmpty)
    }

    @Test("a closed block, a silent block and no block are three findings")
    func blocks() {
        #expect(problems { $0.blocks[0].isClosed = true }.first?.contains("closed") ?? false)
        #expect(problems { $0.blocks[0].isAnnounced = false }.first?.contains("not announced") ?? false)
        #expect(problems { $0.blocks = [] } == ["the node has no block of addresses"])
    }
}
