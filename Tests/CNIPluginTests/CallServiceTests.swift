import CCallHandover
import CNIPlugin
import IPAMCore
import JSONKit
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import Synchronization
import TestKit
import Testing

@Suite("Calls that are handed over")
struct CallServiceTests {
    @Test("A call travels in one packet")
    func packet() throws {
        let config = Array(#"{"name":"net","odd":"\#u{0}"}"#.utf8)
        let variables = ["CNI_COMMAND": "ADD", "CNI_ARGS": "A=1;B=2", "CNI_NETNS": "/run/netns/p"]
        let sent = HandedCall(netnsInode: 7, variables: variables, config: config)
        let packet = sent.packet
        let call = try #require(HandedCall(packet: packet))
        #expect(call == sent)
        for length in 0..<(packet.count - config.count) {
            #expect(HandedCall(packet: Array(packet.prefix(length))) == nil, "cut at \(length)")
        }
        #expect(HandedCall(packet: Array("0.1\0seven\0\0".utf8)) == nil)
        #expect(HandedCall(packet: Array("0.1\u{0}7\0CNI_COMMAND\0\0".utf8)) == nil)
        #expect(HandedCall(packet: [0xff, 0] + Array("7\0\0".utf8)) == nil)
    }

    @Test("So does its outcome")
    func verdict() {
        let done = CallVerdict.done(status: 1, output: [1, 2, 3], log: [UInt8](repeating: 9, count: 300))
        #expect(CallVerdict(packet: done.packet) == done)
        #expect(CallVerdict(packet: CallVerdict.declined.packet) == .declined)
        let long = CallVerdict.done(
            status: 0, output: [7], log: [UInt8](repeating: 9, count: CallVerdict.maximumLog + 1))
        let cut = CallVerdict.done(
            status: 0, output: [7], log: [UInt8](repeating: 9, count: CallVerdict.maximumLog))
        #expect(CallVerdict(packet: long.packet) == cut)
        for packet in ["", "x", "dd", "r", "r0000", "r0\0\0\0\u{9}x"] {
            #expect(CallVerdict(packet: Array(packet.utf8)) == nil, "\(packet)")
        }
    }

    @Test(
        "The run directory is found without reading the JSON, or the call stays where it is",
        arguments: [
            (#"{"name":"n"}"#, RunDirectory.defaultPath), ("", RunDirectory.defaultPath),
            (#"{"runDir":"/a/b"}"#, "/a/b"),
            (#"{"runDir" : "/a"}"#, "/a"), (#"{"runDirectory":"/a"}"#, RunDirectory.defaultPath),
            (#"{"runDir":null}"#, nil), (#"{"runDir":5,"x":"/a"}"#, nil), (#"{"runDir":"\/a"}"#, nil),
            (#"{"runDir":"/a"#, nil), (#"{"runDir""#, nil), (#"{"x":"runDir"}"#, nil),
            (#"{"runDir"::"/a"}"#, nil), ("{\"runDir\":\"/a\0b\"}", nil), (#"{"runDir": "/a:b" }"#, "/a:b"),
            (#"{"runDir":""}"#, ""), (#"runDir"#, RunDirectory.defaultPath), (#""runDir":"#, nil),
        ] as [(String, String?)])
    func runDirectory(text: String, expected: String?) {
        let config = Array(text.utf8)
        var (path, length) = unsafe (UnsafePointer<UInt8>?.none, 0)
        // SAFETY: what is found lies in the configuration, which is still there.
        let found: String? = unsafe config.withUnsafeBufferPointer { buffer in
            guard unsafe call_run_directory(buffer.baseAddress, buffer.count, &path, &length) else { return nil }
            guard let path = unsafe path else { return RunDirectory.defaultPath }
            return unsafe String(decoding: UnsafeBufferPointer(start: path, count: length), as: UTF8.self)
        }
        #expect(found == expected)
    }

    @Test(
        "What is not the daemon's to do it declines, and touches nothing",
        arguments: [
            "version", "namespace", "no sandbox", "CHECK", "no JSON", "another store", "logFile", "ipam",
            "no interface",
        ])
    func declined(what: String) throws {
        try withRunDirectory { plugin in
            var call = try handed("ADD", plugin)
            switch what {
            case "version": call.version = "another"
            case "namespace": call.netnsInode += 1
            case "CHECK": call.variables["CNI_COMMAND"] = "CHECK"
            case "no JSON": call.config.removeLast()
            case "another store": call.config = config(plugin, ("runDir", "/elsewhere"))
            case "logFile": call.config = config(plugin, ("logFile", "/tmp/log"))
            case "ipam": call.config = config(plugin, ("ipam", ["type": "host-local"]))
            case "no interface": call.variables["CNI_IFNAME"] = ""
            default: break
            }
            let taken = try take(call, plugin, hasSandbox: what != "no sandbox")
            #expect(taken == nil)
            let isEmpty = try plugin.isEmpty()
            #expect(isEmpty)
        }
    }

    @Test("The longest result of a call that is taken has room in an answer")
    func longestResult() async throws {
        try await PodFixture.run { pod in
            try pod.plugin.writeNodeState()
            var call = try handed("ADD", pod.plugin)
            let (open, close) = (String(repeating: "[", count: 1900), String(repeating: "]", count: 1900))
            let previous = try JSONText.parse(#"{"cniVersion":"1.1.0","x":\#(open)\#(close)}"#)
            call.config = config(pod.plugin, ("cniVersion", "1.1.0"), ("prevResult", previous))
            let taken = try #require(try take(call, pod.plugin, pod: pod.pod, client: Caller()))
            var memory = CallMemory()
            let (status, output) = taken.run(&memory)
            #expect(status == 0)
            #expect(output.count < CallVerdict.maximumLength / 2)
            #expect(String(decoding: output, as: UTF8.self).contains(open))
        }
    }

    @Test("What it takes it does as the process would have done: ADD, ADD again, DEL")
    func carriedOut() async throws {
        try await PodFixture.run { pod in
            try pod.plugin.writeNodeState()
            let caller = Caller()
            var memory = CallMemory()
            let added = try #require(
                try take(handed("ADD", pod.plugin), pod.plugin, pod: pod.pod, client: caller)
            ).run(&memory)
            #expect(added.status == 0)
            let result = try JSONText.parse(added.output)
            let address = result.object?["ips"]?.array?.first?.object?["address"]?.string
            #expect(address?.hasPrefix("10.244.0.") ?? false)
            #expect(try pod.hostLinks().count == 1)
            let again = try #require(
                try take(handed("ADD", pod.plugin), pod.plugin, pod: pod.pod, client: caller)
            ).run(&memory)
            #expect(again.status == 1)
            let error = try JSONText.parse(again.output)
            #expect(error.object?["code"]?.int == 999)
            let deleted = try #require(
                try take(handed("DEL", pod.plugin), pod.plugin, pod: pod.pod, client: caller)
            ).run(&memory)
            #expect(deleted.status == 0)
            #expect(deleted.output.isEmpty)
            let isUntouched = try pod.isUntouched()
            #expect(isUntouched)
            #expect(caller.text.contains("is attached already"), "\(caller.text)")
            // With what the thread has kept of the first.
            for command in ["ADD", "DEL"] {
                let next = try #require(
                    try take(handed(command, pod.plugin), pod.plugin, pod: pod.pod, client: caller)
                ).run(&memory)
                #expect(next.status == 0, "\(command): \(caller.text)")
            }
            let isUntouchedAgain = try pod.isUntouched()
            #expect(isUntouchedAgain)
        }
    }

    @Test("An ADD that nobody waits for any more is taken back")
    func abandoned() async throws {
        try await PodFixture.run { pod in
            try pod.plugin.writeNodeState()
            var memory = CallMemory()
            let call = try #require(
                try take(handed("ADD", pod.plugin), pod.plugin, pod: pod.pod, client: Caller(hasGone: true)))
            #expect(call.run(&memory).status == 1)
            let links = try pod.hostLinks()
            #expect(links.isEmpty)
            let isEmpty = try pod.plugin.isEmpty()
            #expect(isEmpty)
        }
    }

    @Test("An ADD that nobody waits for any more when it comes to the store makes nothing")
    func abandonedEarly() async throws {
        try await PodFixture.run { pod in
            try pod.plugin.writeNodeState()
            let caller = Caller(hasGone: true)
            let call = try #require(try take(handed("ADD", pod.plugin), pod.plugin, pod: pod.pod, client: caller))
            _ = try Poll.readable([], until: BootClock.now() + .milliseconds(2), name: "a DEL")
            var memory = CallMemory()
            #expect(call.run(&memory).status == 1)
            #expect(caller.asked.isEmpty)
            let isUntouched = try pod.isUntouched()
            #expect(isUntouched)
        }
    }

    @Test("Nobody waits for the store's lock for a call that is not wanted any more", arguments: ["ADD", "DEL"])
    func abandonedAtTheLock(command: String) async throws {
        try await PodFixture.run { pod in
            try pod.plugin.writeNodeState()
            let call = try #require(
                try take(handed(command, pod.plugin), pod.plugin, pod: pod.pod, client: Caller(hasGone: true)))
            let lock = try pod.plugin.store.lock(deadline: .seconds(1))
            var memory = CallMemory()
            let start = BootClock.now()
            #expect(call.run(&memory).status == 1)
            #expect(BootClock.now() - start < .seconds(5))
            lock.unlock()
        }
    }

    @Test("An ADD whose answer was lost is done again; one from before is refused as ever")
    func lostAnswer() async throws {
        try await PodFixture.run { pod in
            try pod.plugin.writeNodeState()
            let before = BootClock.now()
            let first = pod.plugin.call("ADD")
            #expect(first.status == 0)
            let refused = pod.plugin.call("ADD", lostSince: BootClock.now())
            #expect(refused.code == 999)
            let again = pod.plugin.call("ADD", lostSince: before)
            #expect(again.status == 0, "\(again)")
            let links = try pod.hostLinks()
            #expect(links.count == 1)
            let blocks = try pod.plugin.store.blocks()
            #expect(blocks.map(\.allocated.count) == [1])
            #expect(pod.plugin.call("DEL").status == 0)
        }
    }

    private func config(_ plugin: PluginFixture, _ members: (String, JSONValue)...) -> [UInt8] {
        var config: JSONObject = [
            "cniVersion": "1.0.0", "name": "net", "type": "apus", "runDir": .string(plugin.runDirectory),
        ]
        for (name, value) in members { config[name] = value }
        return Array(JSONText.serialize(.object(config)).utf8)
    }

    private func handed(_ command: String, _ plugin: PluginFixture) throws -> HandedCall {
        HandedCall(
            netnsInode: try NetNS.current().inode,
            variables: [
                "CNI_COMMAND": command, "CNI_CONTAINERID": "c1", "CNI_NETNS": "/run/netns/elsewhere",
                "CNI_IFNAME": "eth0",
            ],
            config: config(plugin))
    }

    private func take(
        _ call: HandedCall, _ plugin: PluginFixture, hasSandbox: Bool = true,
    ) throws -> TakenCall? {
        let sandbox = hasSandbox ? try NetNS.current().descriptor.duplicate(name: "sandbox") : nil
        return try take(call, plugin, sandbox: sandbox, client: Caller())
    }

    private func take(
        _ call: HandedCall, _ plugin: PluginFixture, pod: borrowing NetNS, client: Caller,
    ) throws -> TakenCall? {
        try take(call, plugin, sandbox: try pod.descriptor.duplicate(name: "sandbox"), client: client)
    }

    private func take(
        _ call: HandedCall, _ plugin: PluginFixture, sandbox: consuming FileDescriptor?, client: Caller,
    ) throws -> TakenCall? {
        var memory = CallMemory()
        let store = try plugin.store
        let service = CallService(
            store: store, netnsInode: try NetNS.current().inode, desk: AbsentDesk(store: store, caller: client),
            version: ProgramVersion.current)
        return service.take(call.packet, sandbox: sandbox, client: client, memory: &memory)
    }
}

extension HandedCall {
    /// The packet, as the process that is called makes it.
    fileprivate var packet: [UInt8] {
        let texts = [version, "\(netnsInode)"] + variables.map { "\($0)=\($1)" } + [""]
        return texts.flatMap { Array($0.utf8) + [0] } + config
    }
}

/// A daemon that has nothing against anything.
private struct AbsentDesk: OwnDaemon {
    struct Consent: DaemonAnswer {
        let result: Result<JSONObject, RemoteError>

        func wait(until deadline: MonotonicTime) -> Result<JSONObject, RemoteError>? { result }
    }

    let store: RunDirectory
    let caller: Caller

    func nodeState() throws(StoreError) -> NodeState? { try store.nodeState() }

    func ask(_ operation: Request.Operation) -> any DaemonAnswer {
        caller.note(operation.name)
        guard case .linkDelete = operation else { return Consent(result: .success([:])) }
        return Consent(result: .failure(RemoteError(code: 11, message: "nobody deletes links here")))
    }
}

private final class Caller: CallClient {
    private let lines = Mutex("")
    private let operations = Mutex<[String]>([])
    let hasGone: Bool

    init(hasGone: Bool = false) { self.hasGone = hasGone }

    var text: String { lines.withLock { $0 } }

    /// What the daemon was asked for it.
    var asked: [String] { operations.withLock { $0 } }

    func note(_ operation: String) { operations.withLock { $0.append(operation) } }

    func hear(_ line: String) { lines.withLock { $0 += line } }
}
