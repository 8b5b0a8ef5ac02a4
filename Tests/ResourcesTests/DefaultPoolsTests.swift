import NetTypes
import Resources
import Testing

struct DefaultPoolsTests {
    private func configuration(_ address: String, pools: [IPPool] = []) throws -> ClusterConfiguration {
        var node = Node(name: "node1")
        node.ipv4 = Node.Address(try #require(IPAddress(address)), length: 24)
        return ClusterConfiguration(pools: pools, nodes: [node])
    }

    @Test("without a word there is no pool until somebody says a mode; then it is Calico's network with it")
    func silent() throws {
        let defaults = DefaultPools()
        let bare = try configuration("10.0.0.1")
        #expect(defaults.awaitsMode(in: bare))
        #expect(defaults.completing(bare, demanded: nil).pools.isEmpty)
        let pool = IPPool(
            name: "default-ipv4-ippool", cidr: try #require(IPPrefix("192.168.0.0/16")), vxlanMode: .crossSubnet,
            natOutgoing: true)
        #expect(defaults.completing(bare, demanded: .init(vxlan: .crossSubnet)).pools == [pool])
    }

    @Test("a network that nodes live in is not given to pods")
    func overlap() throws {
        let completed = DefaultPools().completing(try configuration("192.168.1.1"), demanded: .init())
        #expect(completed.pools.map(\.cidr.description) == ["172.16.0.0/16"])
        #expect(DefaultPools().completing(completed, demanded: .init(ipip: .always)) == completed)
    }

    @Test("a pool that pods have addresses of stays, though a node comes to live in its network")
    func held() throws {
        let block = try #require(IPPrefix("192.168.7.64/26"))
        let moved = try configuration("192.168.1.1")
        let completed = DefaultPools().completing(moved, demanded: .init(), held: [block])
        #expect(completed.pools.map(\.cidr.description) == ["192.168.0.0/16"])
    }

    @Test("beside an IPv6 pool that is there from the start IPv4 has its mode")
    func ipv6First() throws {
        let defaults = try DefaultPools(environment: ["CALICO_IPV6POOL_CIDR": "fd00:244::/48"])
        let bare = try configuration("10.0.0.1")
        #expect(!defaults.awaitsMode(in: bare))
        #expect(defaults.completing(bare, demanded: nil).pools.map(\.vxlanMode) == [.never, .never])
        let tunnelled = try DefaultPools(environment: [
            "CALICO_IPV6POOL_CIDR": "fd00:244::/48", "CALICO_IPV6POOL_VXLAN": "Always",
        ])
        #expect(tunnelled.completing(bare, demanded: nil).pools.map(\.vxlanMode) == [.always, .always])
    }

    @Test("what the environment says is so from the start, IPv6 too")
    func environment() throws {
        let defaults = try DefaultPools(environment: [
            "CALICO_IPV4POOL_CIDR": "10.50.0.0/16", "CALICO_IPV4POOL_IPIP": "Off", "CALICO_IPV4POOL_VXLAN": "always",
            "CALICO_IPV4POOL_BLOCK_SIZE": "28", "CALICO_IPV4POOL_NAT_OUTGOING": "false",
            "CALICO_IPV6POOL_CIDR": "fd00:244::/48", "CALICO_IPV6POOL_VXLAN": "",
            "CALICO_IPV6POOL_NAT_OUTGOING": "true", "CALICO_IPV6POOL_DISABLE_BGP_EXPORT": "TRUE",
        ])
        let bare = try configuration("192.168.1.1")
        #expect(!defaults.awaitsMode(in: bare))
        let four = IPPool(
            name: "default-ipv4-ippool", cidr: try #require(IPPrefix("10.50.0.0/16")), blockSize: 28,
            vxlanMode: .always)
        let six = IPPool(
            name: "default-ipv6-ippool", cidr: try #require(IPPrefix("fd00:244::/48")), natOutgoing: true,
            disableBGPExport: true)
        #expect(defaults.completing(bare, demanded: nil).pools == [four, six])
    }

    @Test("an IPPool, or NO_DEFAULT_POOLS, and there is nothing of all this")
    func off() throws {
        let environment = ["CALICO_IPV4POOL_CIDR": "10.50.0.0/16", "NO_DEFAULT_POOLS": "true"]
        let bare = try configuration("192.168.1.1")
        let off = try DefaultPools(environment: environment)
        #expect(off.completing(bare, demanded: .init()).pools.isEmpty && !off.awaitsMode(in: bare))
        let own = IPPool(name: "own", cidr: try #require(IPPrefix("10.0.0.0/8")))
        let with = try configuration("192.168.1.1", pools: [own])
        #expect(DefaultPools().completing(with, demanded: .init()).pools == [own])
        #expect(!DefaultPools().awaitsMode(in: with))
    }

    @Test(
        "a wrong value is refused with the variable's name",
        arguments: [
            ("CALICO_IPV4POOL_CIDR", "fd00::/64"), ("CALICO_IPV4POOL_CIDR", "10.0.0.0"), ("CALICO_IPV4POOL_CIDR", "x"),
            ("CALICO_IPV4POOL_BLOCK_SIZE", "19"), ("CALICO_IPV4POOL_BLOCK_SIZE", "256"),
            ("CALICO_IPV6POOL_BLOCK_SIZE", "26"), ("CALICO_IPV4POOL_IPIP", "Sometimes"),
            ("CALICO_IPV6POOL_IPIP", "Always"), ("CALICO_IPV4POOL_NAT_OUTGOING", "1"), ("NO_DEFAULT_POOLS", "maybe"),
        ])
    func refusals(name: String, value: String) {
        #expect {
            try DefaultPools(environment: [name: value])
        } throws: {
            "\($0)".hasPrefix(name)
        }
        #expect(DefaultPools.variables.contains(name))
    }

    @Test("two tunnels in one pool are refused, and a block wider than the pool")
    func contradictions() {
        #expect(throws: DefaultPools.Refusal.self) {
            try DefaultPools(environment: ["CALICO_IPV4POOL_IPIP": "Always", "CALICO_IPV4POOL_VXLAN": "CrossSubnet"])
        }
        #expect(throws: DefaultPools.Refusal.self) {
            try DefaultPools(environment: ["CALICO_IPV4POOL_CIDR": "10.0.0.0/27", "CALICO_IPV4POOL_BLOCK_SIZE": "26"])
        }
        #expect(throws: DefaultPools.Refusal.self) {
            try DefaultPools(environment: ["CALICO_IPV4POOL_CIDR": "10.0.0.0/27"])
        }
    }
}
