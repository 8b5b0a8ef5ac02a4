import IPAMCore
import PodPlan

// What `ipam check` finds.
extension Diagnosis {
    /// Addresses that are leaked, and records that do not agree. What is said elsewhere is not said again.
    mutating func checkAddresses(_ node: NodeKernel) {
        let findings: [AuditFinding]
        do {
            findings = try NodeAudit(node).findings
        } catch {
            // What else was found counts all the same.
            return add("the addresses cannot be looked at: \(error)", "apusctl ipam check, as root, tries it again")
        }
        for finding in findings {
            switch finding.kind {
            case .unreadable, .linkDown, .routeMissing: break
            default: add(finding.problem, finding.remedy)
            }
        }
    }
}
