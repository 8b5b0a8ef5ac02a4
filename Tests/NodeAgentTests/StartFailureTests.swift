import LinuxOS
import NetTypes
import Netlink
import NodeStore
import TestKit
import Testing

@testable import NodeAgent

@Suite("What keeps the daemon from starting")
struct StartFailureTests {
    @Test("A socket that the kernel refuses is named with what it is for, the kernel's answer and the remedy")
    func socket() {
        let refusal = NetlinkError(.socketOpen, "NETLINK_ROUTE", .EPERM)
        #expect(throws: NodeAgentError.self) {
            try NodeAgentError.toBeAble(to: "hear the kernel's events") { throw refusal }
        }
        do {
            try NodeAgentError.toBeAble(to: "hear the kernel's events") { throw refusal }
        } catch {
            let text = "\(error)"
            #expect(text.hasPrefix("apusd cannot hear the kernel's events: \(refusal);"))
            #expect(text.contains("CAP_NET_ADMIN"))
        }
    }

    @Test("Directories that were made for a daemon that does not start go again, unless something is in them")
    func freshDirectories() throws {
        let directory = try TemporaryDirectory()
        let (run, state) = (directory.file("a/b/run"), directory.file("state"))
        let options = AgentOptions(
            nodeName: "node1", configurationPath: "/nowhere", runDirectory: run, stateDirectory: state)
        let store = RunDirectory(path: run, bootID: "boot")
        func make() throws {
            try store.create()
            _ = try store.lock(deadline: .seconds(1))
            _ = try InstanceLock(runDirectory: run, namespaceName: "start-failure-tests")
            try Files.createDirectory(state)
            try Files.replace("\(run)/blocks/settled-boot", with: [])
        }
        let fresh = try FreshDirectories(options)
        try make()
        fresh.removeEmpty()
        #expect(try Files.list(directory.path).isEmpty)

        try make()
        try Files.replace("\(run)/attachments/x", with: [])
        try Files.replace("\(state)/x", with: [])
        fresh.removeEmpty()
        #expect(try Files.list(run).contains("lock") && Files.list("\(run)/attachments") == ["x"])
        #expect(try Files.list(state) == ["x"])
        try Files.remove("\(run)/attachments/x")
        try FreshDirectories(options).removeEmpty()
        #expect(try Files.list(run).contains("attachments"), "what was there before stays")
    }

    @Test("What can be opened is handed on")
    func opened() throws {
        #expect(try NodeAgentError.toBeAble(to: "count") { 5 } == 5)
    }

    @Test("A record of claims that a power cut has emptied counts as none, with a word, and is written again")
    func emptiedClaims() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.file("claims-node1.json"), with: [])
        var claims = try ClaimRecord(stateDirectory: directory.path, node: "node1")
        #expect(claims.blocks.isEmpty && claims.remark?.contains(claims.path) == true)
        let block = try #require(IPPrefix("10.244.0.0/26"))
        try claims.add(block)
        let again = try ClaimRecord(stateDirectory: directory.path, node: "node1")
        #expect(again.blocks == [block] && again.remark == nil)
    }

    @Test("A record of claims that cannot be written keeps what it holds, and says when it can again")
    func unwritableClaims() throws {
        let directory = try TemporaryDirectory()
        var claims = try ClaimRecord(stateDirectory: directory.path, node: "node1")
        let block = try #require(IPPrefix("10.244.0.0/26"))
        let soundOnes = claims.recover()
        // Not even root writes where a directory is.
        try Files.createDirectory(claims.path)
        #expect(throws: SystemError.self) { try claims.add(block) }
        let damagedOnes = claims.recover()
        #expect(claims.blocks.isEmpty && claims.failure != nil)
        try Files.removeDirectory(claims.path)
        let mendedOnes = claims.recover()
        #expect((soundOnes, damagedOnes, mendedOnes) == (false, false, true) && claims.failure == nil)
    }

    @Test("A state directory that is a file is named as that, and not as a damaged record")
    func stateDirectory() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("state")
        try Files.replace(path, with: [])
        do throws(NodeAgentError) {
            _ = try ClaimRecord(stateDirectory: path, node: "node1")
            Issue.record("it was taken")
        } catch {
            guard case .unfitStateDirectory(path: path, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect("\(error)".contains("--state-dir"))
        }
    }
}
