import CNIPlugin
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import TestKit
import Testing

@Suite("The IPAM plugin")
struct AddressTests {
    @Test("An address has its block's mask, and the gateway is its last but one, the last being for broadcasts")
    func gateway() throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState()
            let outcome = plugin.call(
                "ADD", role: .addressesOnly, config: ("ipam", ["type": "apus-ipam", "routes": [["dst": "0.0.0.0/0"]]]))
            #expect(
                outcome.answer == [
                    "cniVersion": "1.0.0", "ips": [["address": "10.244.0.1/26", "gateway": "10.244.0.62"]],
                    "routes": [["dst": "0.0.0.0/0"]],
                ])
            #expect(outcome.status == 0)
        }
    }

    @Test("A block is used up without its first and its last two addresses, then the oldest free one comes again")
    func exhaustion() throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState(blocks: ["10.244.0.0/29"])
            let given = (1...5).map { plugin.call("ADD", "c\($0)", role: .addressesOnly).address }
            #expect(given == (1...5).map { "10.244.0.\($0)/29" })
            let refused = plugin.call("ADD", "c7", role: .addressesOnly)
            #expect(refused.code == 11)
            #expect(refused.message.contains("10.244.0.0/29"))
            #expect(refused.message.contains("apusd"))
            for id in ["c4", "c2"] { #expect(plugin.call("DEL", id, role: .addressesOnly).status == 0) }
            let again = (8...9).map { plugin.call("ADD", "c\($0)", role: .addressesOnly).address }
            #expect(again == ["10.244.0.4/29", "10.244.0.2/29"])
        }
    }

    @Test("A block whose gateway's address a pod has gives none, and ADD and STATUS name the pod")
    func gatewayTaken() throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState(blocks: ["10.244.0.0/29"])
            let node = try #require(try plugin.store.nodeState())
            let lock = try plugin.store.lock(deadline: .seconds(1))
            let key = AttachmentKey(network: "net", containerID: "holder", ifName: "eth0")
            let request = AllocationRequest(family: .ipv4, mode: "bgp", address: IPAddress("10.244.0.6"))
            guard case .fresh(var file) = try plugin.store.claim(key, now: BootClock.now(), under: lock) else {
                Issue.record("no fresh attachment")
                return
            }
            _ = try plugin.store.allocate(request, for: &file, node: node, under: lock)
            try file.update { $0.state = .complete }
            lock.unlock()
            let refused = plugin.call("ADD", role: .addressesOnly)
            #expect(refused.status == 1 && refused.message.contains("10.244.0.6 belongs to \(key)"))
            let status = plugin.call("STATUS", "", role: .addressesOnly, config: ("cniVersion", "1.1.0"))
            #expect(status.code == 50 && status.message.contains("10.244.0.6 belongs to \(key)"))
        }
    }

    @Test("Where no block has an address beside the gateway's none is asked for", arguments: [31, 32] as [UInt8])
    func tooSmall(blockSize: UInt8) throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState(blocks: ["10.244.0.0/\(blockSize)"], blockSize: blockSize)
            let refused = plugin.call("ADD", role: .addressesOnly)
            #expect(refused.code == 7 && refused.message.contains("blockSize \(blockSize)"), "\(refused)")
            let status = plugin.call("STATUS", "", role: .addressesOnly, config: ("cniVersion", "1.1.0"))
            #expect(status.code == 50 && status.message.contains("use a pool of blockSize 30 or less"), "\(status)")
            #expect(try plugin.isEmpty())
        }
    }

    @Test("Without a mode in the configuration each family has its own pools' mode: IPIP carries no IPv6")
    func familiesOfTwoModes() throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState(mode: "ipip", isDualStack: true)
            let outcome = plugin.call("ADD", role: .addressesOnly, config: ("mode", .null))
            let given = outcome.answer?.object?["ips"]?.array?.compactMap { $0.object?["address"]?.string }
            #expect(given == ["10.244.0.1/26", "fd00:10::1/122"], "\(outcome)")
        }
    }

    @Test("A second ADD after an answered one is refused and changes nothing")
    func secondAdd() throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState()
            #expect(plugin.call("ADD", role: .addressesOnly).address == "10.244.0.1/26")
            let second = plugin.call("ADD", role: .addressesOnly)
            #expect(second.code == 999)
            #expect(second.message.contains("10.244.0.1"))
            #expect(plugin.call("ADD", "c2", role: .addressesOnly).address == "10.244.0.2/26")
        }
    }

    @Test("DEL succeeds as often as it comes, and for what was never added", arguments: [true, false])
    func deletes(hasStore: Bool) throws {
        try withRunDirectory { plugin in
            if hasStore { try plugin.writeNodeState() }
            if hasStore { #expect(plugin.call("ADD", role: .addressesOnly).status == 0) }
            for _ in 0..<3 {
                #expect(plugin.call("DEL", role: .addressesOnly) == CNIPlugin.Outcome(answer: nil, status: 0))
            }
            #expect(try plugin.isEmpty())
        }
    }

    @Test("A mode that the pools have not is error 7 naming both")
    func modeMismatch() throws {
        try withRunDirectory { plugin in
            try plugin.writeNodeState(mode: "vxlan")
            let outcome = plugin.call("ADD", role: .addressesOnly, config: ("ipam", ["mode": "bgp"]))
            #expect(outcome.code == 7)
            #expect(outcome.message.contains("bgp"))
            #expect(outcome.message.contains("vxlan"))
            #expect(try plugin.isEmpty())
        }
    }

    @Test("No block and no daemon is error 11 with a remedy, and nothing is left", arguments: [true, false])
    func noBlock(hasNodeState: Bool) throws {
        try withRunDirectory { plugin in
            if hasNodeState { try plugin.writeNodeState(blocks: []) }
            let outcome = plugin.call("ADD", role: .addressesOnly)
            #expect(outcome.code == 11)
            #expect(outcome.message.contains("start apusd"))
            #expect(try plugin.isEmpty())
        }
    }

    @Test("The address that is asked for is given, or it is said why not")
    func requestedAddress() throws {
        try withRunDirectory { plugin in
            var plugin = plugin
            try plugin.writeNodeState()
            plugin.arguments = "IP=10.244.0.9"
            #expect(plugin.call("ADD", role: .addressesOnly).address == "10.244.0.9/26")
            #expect(plugin.call("ADD", "c2", role: .addressesOnly).code == 101)
            plugin.arguments = "IP=10.9.9.9"
            #expect(plugin.call("ADD", "c3", role: .addressesOnly).code == 7)
            plugin.arguments = "IP=nonsense"
            #expect(plugin.call("ADD", "c4", role: .addressesOnly).code == 4)
            plugin.arguments = "IP=10.244.0.9"
            let capability = plugin.call(
                "ADD", "c5", role: .addressesOnly, config: ("runtimeConfig", ["ips": ["10.244.0.11/26"]]))
            #expect(capability.address == "10.244.0.11/26")
        }
    }
}
