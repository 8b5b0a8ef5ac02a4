import Glibc
import LinuxOS
import NetTypes
import TestKit
import Testing

@Suite("Network namespaces", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct NetNSTests {
    @Test("The thread is inside during the scope and back after it, also when the scope fails")
    func scope() async throws {
        try await NetNSFixture.run { fixture in
            let other = try fixture.makeNetNS()
            let home = try NetNS.current().inode
            #expect(home == fixture.netns.inode)
            #expect(home != other.inode)
            let inside = try other.within { () throws(SystemError) in try NetNS.current().inode }
            #expect(inside == other.inode)
            #expect(try NetNS.current().inode == home)
            #expect(throws: Failure.self) {
                try other.within(orThrow: { _ in Failure() }) { () throws(Failure) in throw Failure() }
            }
            #expect(try NetNS.current().inode == home)
        }
    }

    @Test("Twenty namespaces at once do not see each other")
    func parallel() async throws {
        let inodes = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await NetNSFixture.run { fixture in
                        try fixture.ip("link add d\(number) type veth peer name peer")
                        let names = try fixture.ip("-br link").split(separator: "\n")
                        #expect(names.count == 3)
                        return fixture.netns.inode
                    }
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(inodes.count == 20)
    }

    @Test(
        "A path that is no network namespace is refused",
        arguments: ["/dev/null", "/proc/self/status", "/tmp", "/proc/self/ns/mnt"])
    func notANamespace(path: String) {
        let error = #expect(throws: SystemError.self) { _ = try NetNS.open(path) }
        #expect(error?.code == .EINVAL)
    }

    @Test("A setting of a link whose name holds a dot is read and written in the thread's own namespace")
    func sysctl() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add eth0.5 type veth peer name other")
            let path = ["net", "ipv4", "conf", "eth0.5", "rp_filter"]
            try Sysctl.write(path, "2")
            #expect(try Sysctl.read(path) == "2")
            let error = #expect(throws: SystemError.self) { _ = try Sysctl.read(["net", "..", "kernel"]) }
            #expect(error?.code == .EINVAL)
        }
    }

    private struct Failure: Error {}
}

@Suite("Process and clock")
struct ProcessTests {
    @Test("The boot's identity is a UUID and does not change")
    func bootID() throws {
        let id = try BootID.current()
        #expect(id.utf8.count == 36)
        #expect(try BootID.current() == id)
    }

    @Test("The clock goes forward")
    func clock() {
        let first = BootClock.now()
        #expect(BootClock.now() >= first)
        #expect(first > MonotonicTime(nanoseconds: 0))
    }

    @Test("The environment holds what getenv finds")
    func environment() throws {
        let path = try #require(ProcessIO.environment()["PATH"])
        #expect(!path.isEmpty)
    }

    @Test("A wake-up raised twice wakes once")
    func wakeUp() throws {
        let wakeUp = try WakeUp()
        wakeUp.raise()
        wakeUp.raise()
        #expect(try Poll.readable([wakeUp.descriptor], until: BootClock.now(), name: "wake-up") == [true])
        wakeUp.lower()
        #expect(try Poll.readable([wakeUp.descriptor], until: BootClock.now(), name: "wake-up") == [false])
    }
}
