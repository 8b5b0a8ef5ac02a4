import ArgumentParser
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore

/// `apusctl ipam show`
struct IPAMShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows how many addresses of each pool this node's pods have.",
        discussion: """
            Counted are the blocks of this node. CLOSED is what would be free in blocks that give no new addresses (--blocks has \
            their state). RESERVED is what no pod is given: the tunnel's address of each block, \
            the gateway of apus-ipam, addresses of nodes, what an IPReservation holds back.

            EXAMPLE: each block, and who has an address
              apusctl ipam show --blocks
              apusctl ipam show --ip 10.244.0.5
            """)

    @ParentCommand var ipam: IPAMCommand
    @ParentCommand var root: ApusCtl
    @Flag(
        name: [.long, .customLong("show-blocks")],
        help: "Show each block, and the addresses that pods have of another IPAM plugin.")
    var blocks = false
    @Option(help: "Show who has this address.", transform: IPAMCommand.address)
    var ip: IPAddress?
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if blocks, ip != nil { throw ValidationError("Either --blocks or --ip.") }
    }

    func run() throws {
        let directory = IPAMCommand.runDirectory(root.daemon, ipam.daemon, daemon)
        let (node, records) = try IPAMCommand.withStore {
            let store = RunDirectory(path: directory, bootID: try BootID.current())
            return (try NodeKernel.state(in: store), try store.records())
        }
        if let ip {
            let account = AddressAccount(ip, node, records, owner: owner(of: ip))
            try output.write(account.json) { _ in account.text(now: SinceTime.now()) }
        } else {
            let usage = UsageText(
                node: node.node,
                AddressUsage(node: node, blocks: records.blocks, attachments: records.attachments))
            try output.write(blocks ? usage.jsonWithBlocks : usage.json) { _ in blocks ? usage.blocks : usage.pools }
        }
        for error in records.unreadable {
            ProcessIO.writeStandardError("apusctl: not counted: \(TextTable.escaped("\(error)"))\n")
        }
    }

    /// The node that has the address in a block of its own, if the daemon is there to say so.
    private func owner(of address: IPAddress) -> String? {
        let question = DaemonQuestion(root.daemon, ipam.daemon, daemon)
        guard let rows = try? question.rows(BlockRow.self) else { return nil }
        return rows.filter { $0.cidr.contains(address) }.max { $0.cidr.length < $1.cidr.length }?.node
    }
}
