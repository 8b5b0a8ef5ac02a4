import CNISpec
import Testing

@Suite("CNI environment")
struct CNIEnvironmentTests {
    static let add = [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/run/netns/x", "CNI_IFNAME": "eth0",
        "CNI_PATH": "/opt/cni/bin:/usr/lib/cni",
    ]

    @Test(
        "A pod is called as its runtime calls it",
        arguments: [
            ("K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx", "default/nginx"), ("K8S_POD_NAME=web", "web"),
            ("K8S_POD_NAMESPACE=default", nil), ("", nil),
        ] as [(String, String?)])
    func podName(text: String, name: String?) throws {
        #expect(try CNIArguments(text).qualifiedPodName == name)
    }

    @Test("An ADD's variables are read")
    func add() throws {
        let environment = try CNIEnvironment(
            Self.add.merging(["CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx;X=a=b"]) { $1 })
        #expect(environment.command == .add)
        #expect(environment.containerID == "c1")
        #expect(environment.netns == "/run/netns/x")
        #expect(environment.ifName == "eth0")
        #expect(environment.pluginPath == ["/opt/cni/bin", "/usr/lib/cni"])
        #expect(environment.arguments.podNamespace == "default")
        #expect(environment.arguments.podName == "nginx")
        #expect(environment.arguments["X"] == "a=b")
        #expect(!environment.allowsOwnNetns)
    }

    @Test(
        "Every missing variable is named at once",
        arguments: [
            (["CNI_COMMAND": "ADD"], ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"]),
            (["CNI_COMMAND": "ADD", "CNI_NETNS": "/x", "CNI_IFNAME": ""], ["CNI_CONTAINERID", "CNI_IFNAME"]),
            (["CNI_COMMAND": "CHECK", "CNI_IFNAME": "eth0"], ["CNI_CONTAINERID", "CNI_NETNS"]),
            (["CNI_COMMAND": "DEL"], ["CNI_CONTAINERID", "CNI_IFNAME"]),
            (["CNI_COMMAND": "GC"], ["CNI_PATH"]), (["CNI_COMMAND": "STATUS"], ["CNI_PATH"]), ([:], ["CNI_COMMAND"]),
        ])
    func missing(variables: [String: String], names: [String]) {
        let error = #expect(throws: CNIError.self) { try CNIEnvironment(variables) }
        #expect(error?.code == .invalidEnvironment)
        for name in names { #expect(error?.message.contains(name) == true) }
    }

    @Test(
        "A variable that is not valid is error 4",
        arguments: [
            ("CNI_COMMAND", "add"), ("CNI_COMMAND", "FOO"),
            ("CNI_CONTAINERID", "-c"), ("CNI_CONTAINERID", "a/b"), ("CNI_CONTAINERID", "a b"), ("CNI_CONTAINERID", "ž"),
            ("CNI_IFNAME", "."), ("CNI_IFNAME", ".."), ("CNI_IFNAME", "a/b"), ("CNI_IFNAME", "a:b"),
            ("CNI_IFNAME", "a b"), ("CNI_IFNAME", "a\u{a0}b"), ("CNI_IFNAME", "a\tb"),
            ("CNI_IFNAME", "0123456789abcdef"), ("CNI_IFNAME", "eth%d"), ("CNI_IFNAME", "all"),
            ("CNI_IFNAME", "default"), ("CNI_IFNAME", "\u{FFFD}"),
            ("CNI_ARGS", "IP"),
        ])
    func invalid(name: String, value: String) {
        let error = #expect(throws: CNIError.self) { try CNIEnvironment(Self.add.merging([name: value]) { $1 }) }
        #expect(error?.code == .invalidEnvironment)
        #expect(error?.message.contains(name) == true)
    }

    @Test("Names at their limits are valid", arguments: ["0123456789abcde", "e", "...", "-"])
    func validNames(name: String) throws {
        #expect(try CNIEnvironment(Self.add.merging(["CNI_IFNAME": name]) { $1 }).ifName == name)
    }

    @Test("A DEL needs no namespace and forgives its arguments", arguments: [nil, ""])
    func deleteWithoutNamespace(netns: String?) throws {
        var variables = Self.add
        variables["CNI_COMMAND"] = "DEL"
        variables["CNI_NETNS"] = netns
        variables["CNI_ARGS"] = "IP;K8S_POD_NAME=p"
        let environment = try CNIEnvironment(variables)
        #expect(environment.netns == "")
        #expect(environment.arguments.podName == "p")
    }

    @Test("VERSION validates nothing but itself")
    func version() throws {
        let variables = [
            "CNI_COMMAND": "VERSION", "CNI_NETNS": "dummy", "CNI_IFNAME": "a/b", "CNI_CONTAINERID": "", "CNI_ARGS": "x",
        ]
        #expect(try CNIEnvironment(variables).command == .version)
    }

    @Test(
        "The own namespace can be allowed",
        arguments: [("1", true), ("true", true), ("TRUE", true), ("0", false), ("", false)])
    func override(value: String, allowed: Bool) throws {
        #expect(try CNIEnvironment(Self.add.merging(["CNI_NETNS_OVERRIDE": value]) { $1 }).allowsOwnNetns == allowed)
    }
}

extension CNIEnvironment {
    fileprivate init(_ variables: [String: String]) throws(CNIError) {
        try self.init { variables[$0] }
    }
}
