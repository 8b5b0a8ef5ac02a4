import IPAMCore

// What `ipam check` finds.
extension Diagnosis {
    /// Addresses that are leaked, and records that do not agree. What is said elsewhere is not said again.
    mutating func checkAddresses(_ node: NodeKernel) throws {
        for finding in try NodeAudit(node).findings {
            switch finding.kind {
            case .unreadable, .linkDown, .routeMissing: break
            default: add(finding.problem, finding.remedy)
            }
        }
    }
}
