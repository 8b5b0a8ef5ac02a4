import IPAMCore
import NetTypes
import PodPlan
import Testing

/// A node with one pod, `a`, which has 10.0.0.1, and what is altered of it.
struct AuditedNode {
    var blocks: [Block]
    var attachments: [IPAMCore.Attachment]
    var ends: [ObservedEnd]

    static func key(_ id: String) -> AttachmentKey { AttachmentKey(network: "net", containerID: id, ifName: "eth0") }
    static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    static func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    static func attachment(
        _ id: String, _ addresses: [String], _ state: IPAMCore.Attachment.State = .complete, link: String = "calia",
        index: UInt32 = 7,
    ) throws -> IPAMCore.Attachment {
        IPAMCore.Attachment(
            key: key(id), state: state, addresses: try addresses.map { try address($0).hostPrefix }, hostLink: link,
            hostLinkIndex: index, bootID: "boot", createdAt: MonotonicTime(nanoseconds: 1))
    }

    static func end(
        _ id: String?, _ addresses: [String], name: String = "calia", index: UInt32 = 7, neighbours: [String]? = nil,
    ) throws -> ObservedEnd {
        ObservedEnd(
            index: index, name: name, key: id.map(key), addresses: try addresses.map { try address($0).hostPrefix },
            neighbours: Set(try (neighbours ?? addresses).map(address)))
    }

    init() throws {
        var block = try Block(cidr: Self.prefix("10.0.0.0/28"), bootID: "boot")
        _ = try block.allocate(for: Self.key("a"))
        blocks = [block]
        attachments = [try Self.attachment("a", ["10.0.0.1"])]
        ends = [try Self.end("a", ["10.0.0.1"])]
    }

    func findings(busy: Set<AttachmentKey> = [], isSettled: Bool = true) -> [AuditFinding] {
        StoreAudit(blocks: blocks, attachments: attachments, ends: ends, busy: busy, isSettled: isSettled).findings
    }
}

@Suite("What records and kernel disagree in")
struct StoreAuditTests {
    /// What is done to the node, what is found then, and a part of what is to be done.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kinds: [AuditFinding.Kind]
        let remedy: String
        let alter: @Sendable (inout AuditedNode) throws -> Void

        init(
            _ name: String, _ kinds: [AuditFinding.Kind], _ remedy: String = "",
            _ alter: @escaping @Sendable (inout AuditedNode) throws -> Void,
        ) {
            testDescription = name
            self.kinds = kinds
            self.remedy = remedy
            self.alter = alter
        }
    }

    static let cases: [Case] = [
        Case("nothing", []) { _ in },
        Case("the record and the link are gone", [.leaked], "apusctl ipam release --force 10.0.0.1") {
            $0.attachments = []
            $0.ends = []
        },
        Case("the record is gone, the link is there", [.linkUnrecorded], "GC of the network net") {
            $0.attachments = []
        },
        Case("a block gives a second address that the record does not name", [.unnamed], "ipam release 10.0.0.2") {
            _ = try $0.blocks[0].allocate(for: AuditedNode.key("a"))
        },
        Case("the block gives the pod's address to nobody", [.unallocated], "blocks/ipv4-10.0.0.0-28.json") {
            $0.blocks[0].release(AuditedNode.key("a"))
        },
        Case("the block has no record: it is made again when it is needed", []) { $0.blocks = [] },
        Case("the block gives the pod's address to another pod", [.heldTwice], "DEL and ADD") {
            $0.blocks[0].release(AuditedNode.key("a"))
            try $0.blocks[0].allocate(AuditedNode.address("10.0.0.1"), for: AuditedNode.key("b"))
            $0.attachments.append(try AuditedNode.attachment("b", ["10.0.0.1"], link: "calib", index: 8))
            $0.ends.append(try AuditedNode.end("b", ["10.0.0.1"], name: "calib", index: 8))
        },
        Case("a killed ADD names what is another's by now", [.abandoned], "DEL of the container") {
            $0.attachments.append(try AuditedNode.attachment("b", ["10.0.0.1"], .pending, link: "", index: 0))
        },
        Case("a killed ADD holds an address and has no link", [.abandoned], "apusctl ipam release 10.0.0.2") {
            _ = try $0.blocks[0].allocate(for: AuditedNode.key("b"))
            $0.attachments.append(try AuditedNode.attachment("b", ["10.0.0.2"], .pending, link: "calib", index: 0))
        },
        Case("a killed ADD names two, the first another's by now", [.abandoned], "apusctl ipam release 10.0.0.2") {
            _ = try $0.blocks[0].allocate(for: AuditedNode.key("b"))
            $0.attachments.append(
                try AuditedNode.attachment("b", ["10.0.0.1", "10.0.0.2"], .pending, link: "calib", index: 0))
        },
        Case("a killed ADD of apus-ipam holds an address", [.abandoned], "apusctl ipam release --force 10.0.0.2") {
            _ = try $0.blocks[0].allocate(for: AuditedNode.key("b"))
            $0.attachments.append(try AuditedNode.attachment("b", ["10.0.0.2"], .pending, link: "", index: 0))
        },
        Case("a killed ADD has made its link, and not marked it", [.abandoned], "a DEL of the container") {
            _ = try $0.blocks[0].allocate(for: AuditedNode.key("b"))
            $0.attachments.append(try AuditedNode.attachment("b", ["10.0.0.2"], .pending, link: "calib", index: 0))
            $0.ends.append(try AuditedNode.end(nil, [], name: "calib", index: 8))
        },
        Case("a DEL was killed after the link", [.abandoned], "apusctl ipam release 10.0.0.1") {
            $0.attachments[0].state = .deleting
            $0.ends = []
        },
        Case("the link is gone", [.linkGone], "apusctl ipam release 10.0.0.1") { $0.ends = [] },
        Case("the link bears another alias", [.aliasChanged], "ip link set calia alias apus:net:a:eth0") {
            $0.ends = [try AuditedNode.end(nil, ["10.0.0.1"])]
        },
        Case("the link's index is another, and its alias right", []) {
            $0.ends = [try AuditedNode.end("a", ["10.0.0.1"], index: 9)]
        },
        Case("a second link bears the alias", [.linkTwice], "ip link del calix") {
            $0.ends.append(try AuditedNode.end("a", [], name: "calix", index: 9))
        },
        Case("the route is gone", [.routeMissing], "apusd puts it back") {
            $0.ends = [try AuditedNode.end("a", [], neighbours: ["10.0.0.1"])]
        },
        Case("the link is down", [.linkDown], "ip link set calia up") {
            $0.ends = [ObservedEnd(index: 7, name: "calia", key: AuditedNode.key("a"), isUp: false)]
        },
        Case("the neighbour is gone", [.neighbourMissing], "apusd puts it back") {
            $0.ends = [try AuditedNode.end("a", ["10.0.0.1"], neighbours: [])]
        },
        Case("a route leads to what the record does not name", [.strayRoute], "ip route del 10.0.0.9/32 dev calia") {
            $0.ends = [try AuditedNode.end("a", ["10.0.0.1", "10.0.0.9"])]
        },
        Case("a route leads over a pair of nobody's", [.strayRoute], "ip route del 10.0.0.9/32 dev veth1") {
            $0.ends.append(try AuditedNode.end(nil, ["10.0.0.9"], name: "veth1", index: 9))
        },
        Case("a pair of somebody else's is there", []) {
            $0.ends.append(try AuditedNode.end(nil, [], name: "calif00", index: 9))
        },
        Case("another plugin's link has an address of apus-ipam", []) {
            _ = try $0.blocks[0].allocate(for: AuditedNode.key("b"))
            $0.attachments.append(try AuditedNode.attachment("b", ["10.0.0.2"], link: "", index: 0))
        },
        Case("a pod has an address of another IPAM plugin, outside of the blocks", []) {
            $0.attachments[0].addresses.append(try AuditedNode.prefix("192.0.2.1/32"))
            $0.ends = [try AuditedNode.end("a", ["10.0.0.1", "192.0.2.1"])]
        },
        Case("of two blocks that share addresses the former knows the pod", []) {
            $0.blocks.insert(try Block(cidr: AuditedNode.prefix("10.0.0.0/27"), bootID: "boot"), at: 0)
        },
        Case("two blocks that share addresses give one to two", [.heldTwice]) {
            var other = try Block(cidr: AuditedNode.prefix("10.0.0.0/27"), bootID: "boot")
            _ = try other.allocate(for: AuditedNode.key("b"))
            $0.blocks.append(other)
        },
    ]

    @Test("each is found, alone, with what to do about it", arguments: cases)
    func found(_ example: Case) throws {
        var node = try AuditedNode()
        try example.alter(&node)
        let findings = node.findings()
        #expect(findings.map(\.kind) == example.kinds, "\(findings)")
        for finding in findings { #expect(finding.remedy.contains(example.remedy)) }
    }

    @Test("what a call is at work on is no finding", arguments: cases)
    func busy(_ example: Case) throws {
        var node = try AuditedNode()
        try example.alter(&node)
        let findings = node.findings(busy: Set(["a", "b"].map(AuditedNode.key)))
        // A pair that says nothing is no call's.
        #expect(findings.allSatisfy { $0.keys.isEmpty })
    }

    @Test("a link without a record in a store that was emptied is not to be deleted")
    func emptied() throws {
        var node = try AuditedNode()
        node.attachments = []
        node.blocks = []
        let finding = try #require(node.findings(isSettled: false).first)
        #expect(finding.kind == .linkUnrecorded)
        #expect(finding.remedy.contains("the next ADD, enters the pod again"))
    }

    @Test("a finding is an object with its kind, addresses and attachments")
    func json() throws {
        var node = try AuditedNode()
        node.ends = []
        let object = try #require(node.findings().first?.json.object)
        #expect(object["kind"] == "linkGone")
        #expect(object["addresses"] == ["10.0.0.1"])
        #expect(object["attachments"] == [["network": "net", "containerID": "a", "ifName": "eth0"]])
    }
}

@Suite("Whether the holder of an address lives")
struct HolderLifeTests {
    private func life(_ id: String, _ address: String, _ node: AuditedNode) throws -> HolderLife {
        let key = AuditedNode.key(id)
        return HolderLife(
            of: key, with: try AuditedNode.address(address), record: node.attachments.first { $0.key == key },
            ends: ObservedEnds(node.ends))
    }

    @Test("a pod with its link lives, be the link's alias altered or its route gone")
    func alive() throws {
        var node = try AuditedNode()
        #expect(try life("a", "10.0.0.1", node) == .alive("a route over the link calia leads to it"))
        node.ends = [try AuditedNode.end("a", [])]
        #expect(try life("a", "10.0.0.1", node) == .alive("its link calia is there"))
        node.ends = [try AuditedNode.end(nil, [])]
        #expect(try life("a", "10.0.0.1", node) == .alive("its link calia is there"))
        node.attachments = []
        node.ends = [try AuditedNode.end("a", [])]
        #expect(try life("a", "10.0.0.1", node) == .alive("its link calia is there"))
    }

    @Test("a killed ADD that has made its link holds its address, marked or not")
    func pending() throws {
        var node = try AuditedNode()
        node.attachments = [try AuditedNode.attachment("a", ["10.0.0.1"], .pending, index: 0)]
        node.ends = [try AuditedNode.end(nil, [])]
        #expect(try life("a", "10.0.0.1", node) == .alive("its link calia is there"))
        node.ends = []
        #expect(try life("a", "10.0.0.1", node) == .gone)
    }

    @Test("without its link a pod is dead; another's link of the name is not its own")
    func gone() throws {
        var node = try AuditedNode()
        node.ends = [try AuditedNode.end("b", ["10.0.0.2"], index: 9)]
        #expect(try life("a", "10.0.0.1", node) == .gone)
    }

    @Test("an address that the record does not name is nobody's, the pod alive or not")
    func unnamed() throws {
        #expect(try life("a", "10.0.0.2", try AuditedNode()) == .gone)
    }

    @Test("a route to what the block gives to others says nothing of a key, and a link of its own does")
    func others() throws {
        var node = try AuditedNode()
        node.attachments.append(try AuditedNode.attachment("b", ["10.0.0.1"], .pending, link: "calib", index: 0))
        let key = AuditedNode.key("b"), address = try AuditedNode.address("10.0.0.1")
        #expect(node.blocks.giveToOthers(address, than: key))
        #expect(!node.blocks.giveToOthers(address, than: AuditedNode.key("a")))
        #expect(!node.blocks.giveToOthers(try AuditedNode.address("10.0.0.9"), than: key))
        func life() -> HolderLife {
            HolderLife(
                of: key, with: address, isOthers: true, record: node.attachments.last, ends: ObservedEnds(node.ends))
        }
        #expect(life() == .gone)
        node.ends.append(try AuditedNode.end("b", [], name: "calib", index: 8))
        #expect(life() == .alive("its link calib is there"))
    }

    @Test("of a link of another plugin's, and of a key without a record, nothing is known")
    func unknown() throws {
        var node = try AuditedNode()
        node.ends = []
        node.attachments = [try AuditedNode.attachment("a", ["10.0.0.1"], link: "", index: 0)]
        #expect(try life("a", "10.0.0.1", node) == .unknown("its link is another plugin's"))
        node.attachments = []
        #expect(try life("a", "10.0.0.1", node) == .unknown("there is no record of it"))
    }
}
