import ArgumentParser
import NodeLink

/// `apusctl doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks for what is wrong on this node, and says what to do about it.",
        discussion: "Ends with exit status 1 when it has found something.")

    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let question = DaemonQuestion(root.daemon, daemon)
        let account = Diagnosis.Account(
            status: try StatusAnswer(question.ask(.status)), nodes: try list(question, .nodes),
            pools: try list(question, .ippools), blocks: try list(question, .blocks),
            routes: try list(question, .routes))
        guard !account.nodes.isEmpty else {
            let name = account.status.node.name
            throw CommandFailure(
                description: "Nothing is configured: apusd has read no Node resource named \(name).\n"
                    + "Its log says what it has read and refused. Give apusd the name of a Node with --node, and the "
                    + "directory of the resources with --config.")
        }
        let directory = [root.daemon, daemon].compactMap(\.runDirectory).last ?? DaemonOptions.defaultRunDirectory
        let findings = try Diagnosis(node: NodeKernel(runDirectory: directory), account: account).findings
        guard !findings.isEmpty else {
            print("Nothing is wrong on \(account.status.node.name).")
            return
        }
        for finding in findings { print("- \(finding.problem)\n  Remedy: \(finding.remedy)") }
        throw ExitCode.failure
    }

    private func list<Row: TableRow>(_ question: DaemonQuestion, _ kind: ListKind) throws -> [Row] {
        try ListAnswer<Row>(question.ask(.get(kind))).items
    }
}
