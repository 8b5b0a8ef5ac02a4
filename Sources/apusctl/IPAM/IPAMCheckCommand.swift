import ArgumentParser
import IPAMCore
import NetTypes
import PodPlan

/// `apusctl ipam check`
struct IPAMCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Holds the records of addresses against each other and against the kernel.",
        discussion: """
            Blocks, attachments, pods' links, their routes and neighbours: what does not agree is named, one line each, \
            with what to do about it. Nothing is changed. An ADD or a DEL that is under way is no finding. Ends with exit \
            status 1 when something is wrong; also when it could not look: then it prints nothing but an error, which \
            says why.
            """)

    @ParentCommand var ipam: IPAMCommand
    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let directory = IPAMCommand.runDirectory(root.daemon, ipam.daemon, daemon)
        let (node, audit) = try IPAMCommand.withStore {
            let node = try NodeKernel(runDirectory: directory)
            return (node.name, try NodeAudit(node))
        }
        let answer: JSONObject = [
            "node": .string(node), "findings": .array(audit.findings.map(\.json)),
            "blocks": .int(Int64(audit.blockCount)), "attachments": .int(Int64(audit.attachmentCount)),
        ]
        try output.write(answer) { _ in
            guard !audit.findings.isEmpty else {
                return "Nothing is wrong with the addresses of \(node) (attachments: \(audit.attachmentCount), "
                    + "blocks: \(audit.blockCount)).\n"
            }
            return audit.findings.map { TextTable.escaped("\($0.problem). Remedy: \($0.remedy)") + "\n" }.joined()
        }
        if !audit.findings.isEmpty { throw ExitCode.failure }
    }
}
