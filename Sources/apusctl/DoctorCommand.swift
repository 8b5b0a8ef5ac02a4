import ArgumentParser
import NetTypes
import NodeLink

/// `apusctl doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks for what is wrong on this node, and says what to do about it.",
        discussion: """
            Ends with exit status 1 when it has found something wrong. What the configuration says and has no effect \
            here is a note, which changes nothing about that.
            """)

    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let directory = [root.daemon, daemon].compactMap(\.runDirectory).last ?? DaemonOptions.defaultRunDirectory
        var findings: [Diagnosis.Finding] = []
        var account: Diagnosis.Account?
        var notes: [String] = []
        do throws(CommandFailure) {
            account = try ask(DaemonQuestion(root.daemon, daemon))
            notes = account?.status.notes ?? []
        } catch {
            // The kernel has its state all the same, and nobody mends it now.
            let lines = error.description.split(separator: "\n", maxSplits: 1).map(String.init)
            findings.append(Diagnosis.Finding(problem: "apusd does not answer: \(lines[0])", remedy: lines.last ?? ""))
        }
        if let name = account?.status.node.name, account?.nodes.isEmpty ?? false {
            // There is nothing to hold the kernel's state against.
            findings += account.map { Diagnosis(status: $0.status).findings } ?? []
            account = nil
            findings.append(
                Diagnosis.Finding(
                    problem: "Nothing is configured: apusd has read no Node resource named \(name)",
                    remedy: "Its log says what it has read and refused. Give apusd the name of a Node with --node, and "
                        + "the directory of the resources with --config."))
        }
        let node: NodeKernel
        do {
            node = try NodeKernel(runDirectory: directory)
        } catch {
            guard !findings.isEmpty else { throw error }
            return try end(with: findings, notes, on: "")
        }
        let diagnosis = try Diagnosis(node: node, account: account)
        try end(with: findings + diagnosis.findings, notes + diagnosis.notes, on: node.name)
    }

    private func end(with findings: [Diagnosis.Finding], _ notes: [String], on node: String) throws {
        let answer: JSONObject = [
            "findings": .array(findings.map(\.json)), "notes": .array(notes.map { .string($0) }),
        ]
        try output.write(answer) { _ in
            let found =
                findings.isEmpty
                ? "Nothing is wrong on \(node).\n"
                : findings.map { "- \($0.problem)\n  Remedy: \($0.remedy)\n" }.joined()
            return found + notes.map { "Note: \($0)\n" }.joined()
        }
        if !findings.isEmpty { throw ExitCode.failure }
    }

    private func ask(_ question: DaemonQuestion) throws(CommandFailure) -> Diagnosis.Account {
        do {
            return Diagnosis.Account(
                status: try StatusAnswer(question.status()),
                sessions: try question.rows(of: .peers),
                nodes: try question.rows(), pools: try question.rows(), blocks: try question.rows(),
                routes: try question.rows(), now: SinceTime.now())
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(description: "\(error)\nAre apusctl and apusd of one version?")
        }
    }
}
