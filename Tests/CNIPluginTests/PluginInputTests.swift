import CNIPlugin
import LinuxOS
import NetTypes
import TestKit
import Testing

@Suite("Plugin input")
struct PluginInputTests {
    @Test("A mode that is no string is error 7, names the key, and nothing is made")
    func modeOfWrongType() throws {
        try withRunDirectory { plugin in
            let outcome = plugin.call("ADD", config: ("mode", 5))
            #expect(outcome.code == 7)
            #expect(outcome.message.contains("mode"))
            #expect(outcome.status != 0)
            let made = try FileStatus.of(plugin.runDirectory)
            #expect(made == nil)
        }
    }

    @Test(
        "What is wrong with the input is said with the specification's code",
        arguments: [
            ("ADD", "mode", "bridge", 7), ("ADD", "name", "a/b", 7), ("ADD", "cniVersion", "3.0.0", 1),
            ("ADD", "ipam", ["type": "no-such-plugin"], 4), ("ADD", "ipam", ["type": "a/b"], 7),
            ("ADD", "ipam", ["type": "apus"], 7), ("ADD", "runtimeConfig", ["portMappings": [1]], 2),
            ("CHECK", "cniVersion", "0.3.1", 1),
            ("FOO", "x", 1, 4),
        ] as [(String, String, JSONValue, Int64)])
    func refused(command: String, key: String, value: JSONValue, code: Int64) throws {
        try withRunDirectory { plugin in
            var plugin = plugin
            // No namespace: the input is looked at before anything else is.
            plugin.netns = code == 2 && key == "ipam" ? plugin.netns : "/nonexistent"
            let role: CNIPlugin.Role = key == "ipam" && code == 2 ? .addressesOnly : .network
            let outcome = plugin.call(command, role: role, config: (key, value))
            #expect(outcome.code == code, "\(outcome)")
            #expect(outcome.status == 1)
            let isEmpty = try plugin.isEmpty()
            #expect(isEmpty)
        }
    }

    @Test("Standard input that is no JSON is error 6", arguments: ["", "{", "nonsense", "{}{}"])
    func notJSON(text: String) {
        let environment = [
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/nonexistent", "CNI_IFNAME": "eth0",
        ]
        let outcome = CNIPlugin.run(.network, environment: .given(environment)) { Array(text.utf8) }
        #expect(outcome.code == 6)
        #expect(outcome.answer?.object?["cniVersion"]?.string == "1.1.0")
    }

    @Test("Standard input that cannot be read is error 5")
    func unreadable() {
        let environment = ["CNI_COMMAND": "STATUS", "CNI_PATH": "/opt/cni/bin"]
        let outcome = CNIPlugin.run(.network, environment: .given(environment)) {
            throw SystemError("read", "standard input", .EIO)
        }
        #expect(outcome.code == 5)
    }

    @Test("VERSION answers whatever the rest of the environment is", arguments: ["", #"{"cniVersion":"0.4.0"}"#])
    func version(config: String) {
        let environment = [
            "CNI_COMMAND": "VERSION", "CNI_NETNS": "dummy", "CNI_IFNAME": "dummy", "CNI_PATH": "dummy",
            "CNI_CONTAINERID": "",
        ]
        let outcome = CNIPlugin.run(.network, environment: .given(environment)) { Array(config.utf8) }
        #expect(outcome.status == 0)
        #expect(outcome.answer?.object?["supportedVersions"]?.array?.last == "1.1.0")
        #expect(outcome.answer?.object?["cniVersion"]?.string == (config.isEmpty ? "1.1.0" : "0.4.0"))
    }

    @Test(
        "A namespace that is none is error 4, after which the runtime sends DEL, and the remedy is named",
        arguments: [
            "/nonexistent", "/proc/version", "/proc/version/x", "/tmp", "/dev/null", "/proc/self/ns/mnt",
            "/" + String(repeating: "x", count: 300),
        ], ["ADD", "CHECK"])
    func noNamespace(path: String, command: String) throws {
        try withRunDirectory { plugin in
            var plugin = plugin
            plugin.netns = path
            let outcome = plugin.call(command, config: ("prevResult", ["cniVersion": "1.0.0"]))
            #expect(outcome.code == 4)
            #expect(outcome.message.contains("CNI_NETNS"))
            #expect(outcome.message.contains("/run/netns/NAME"))
            let made = try FileStatus.of(plugin.runDirectory)
            #expect(made == nil)
        }
    }

    @Test("An IPAM plugin that is nowhere is error 4, naming CNI_PATH", arguments: ["", "/nonexistent:/tmp"])
    func noIPAMPlugin(path: String) throws {
        try withRunDirectory { plugin in
            var plugin = plugin
            plugin.pluginPath = path
            let outcome = plugin.call("ADD", config: ("ipam", ["type": "absent"]))
            #expect(outcome.code == 4)
            #expect(outcome.message.contains(path.isEmpty ? "CNI_PATH is not set" : "CNI_PATH: no plugin \"absent\""))
        }
    }

    @Test("The plugin's own namespace is error 8, before any work")
    func ownNamespace() throws {
        try withRunDirectory { plugin in
            #expect(plugin.call("ADD").code == 8)
            let made = try FileStatus.of(plugin.runDirectory)
            #expect(made == nil)
        }
    }

    @Test(
        "The program's name says what it is",
        arguments: [
            ("/opt/cni/bin/apus", CNIPlugin.Role.network), ("apus-ipam", .addressesOnly), ("", .network),
            ("/opt/cni/bin/apus-ipam", .addressesOnly),
        ])
    func roles(name: String, role: CNIPlugin.Role) {
        #expect(CNIPlugin.Role(programName: name) == role)
    }
}
