import LinuxOS
import NetTypes
import TestKit
import Testing

/// A host that forwards and a pod, each a network namespace of its own, and a plugin that is called on the host.
struct PodFixture: ~Copyable {
    /// The host's namespace, which the thread is in.
    let hostInode: UInt64
    /// The pod's namespace.
    let pod: NetNS
    /// The plugin.
    var plugin: PluginFixture

    private let directory: TemporaryDirectory

    init(_ fixture: borrowing NetNSFixture, runDirectory: String?) throws {
        hostInode = fixture.netns.inode
        try Sysctl.write(["net", "ipv4", "ip_forward"], "1")
        try Sysctl.write(["net", "ipv6", "conf", "all", "forwarding"], "1")
        let pod = try fixture.makeNetNS()
        let directory = try TemporaryDirectory()
        plugin = PluginFixture(runDirectory: runDirectory ?? directory.file("run"))
        plugin.netns = "/proc/self/fd/\(pod.descriptor.rawValue)"
        self.pod = pod
        self.directory = directory
    }

    /// Runs the body with both namespaces made.
    static func run(
        runDirectory: String? = nil, _ body: @escaping @Sendable (inout PodFixture) throws -> Void,
    ) async throws {
        try await NetNSFixture.run { fixture in
            var pod = try PodFixture(fixture, runDirectory: runDirectory)
            try body(&pod)
        }
    }

    /// Another pod's namespace.
    func makeOtherPod() throws -> NetNS {
        try pod.within(orThrow: { $0 as any Error }) { () throws(any Error) in try NetNS.unshare() }
    }

    /// `ip` on the host.
    func host(_ words: String) throws -> String {
        try Command.run(["ip"] + words.split(separator: " ").map(String.init))
    }

    /// Waits until the pod's link carries: the kernel opens the host's end in a work item of its own, and a packet that
    /// comes before is lost.
    func settle() throws {
        let isUp = try eventually {
            let links = try host("-o link show type veth") + inPod("ip -o link show type veth")
            return !links.isEmpty && !links.contains("NO-CARRIER") && !links.contains("state LOWERLAYERDOWN")
                && !links.contains("state DOWN") && !links.contains("qdisc noop ")
        }
        #expect(isUp, "the pod's link does not carry")
    }

    /// Any program in the pod.
    @discardableResult
    func inPod(_ words: String) throws -> String {
        try pod.within(orThrow: { $0 as any Error }) { () throws(any Error) in
            try Command.run(words.split(separator: " ").map(String.init))
        }
    }

    /// The names of the host's pod links.
    func hostLinks() throws -> [String] {
        try host("-br link").split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
            .map { String($0.prefix { $0 != "@" }) }
            .filter { $0.hasPrefix("cali") }
    }

    /// Whether nothing of Apus' is on the host, in the pod or in the store.
    func isUntouched() throws -> Bool {
        try hostLinks().isEmpty && host("route show proto 97").isEmpty && plugin.isEmpty()
            && !inPod("ip -br link").contains("eth0")
    }
}
