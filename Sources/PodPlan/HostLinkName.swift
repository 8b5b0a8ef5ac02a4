// PodPlan: what a pod's link is made of, as values.
//
//   PodLink (key, names, addresses, MTU, MACs) + ObservedLink (what has the name now)
//        └─▶ PodPlan.steps: PodStep, PodStep … each with the PodUndo that takes it back
//
// A program carries the steps out over netlink, pushes each step's inverse on an UndoStack, and unwinds that on failure.
// The order of the steps is the kernel's: it refuses AF_SPEC and an alias in the message that makes a pair, and a pair
// whose second end is up at once. Deviations: none.
//
// What is there already is compared, not planned: ObservedPod with a plan (CHECK), ObservedEnd with the records
// (StoreAudit, HolderLife).

package import IPAMCore
import NetTypes

/// How the host's end of a pod's link is called.
package enum HostLinkName {
    /// `cali` and eleven hexadecimal digits.
    ///
    /// The first link of a Kubernetes pod is called as Calico calls it, after namespace and pod, so that whoever knows
    /// the one finds the other. Any other is called after its key: not after a part of the container id, for runtimes
    /// give every id the same first letters ("default-"). So is the link of a pod's next sandbox while the former one has
    /// the name.
    package static func name(for key: AttachmentKey, podNamespace: String?, podName: String?) -> String {
        let digest: String
        if let podNamespace, let podName, key.ifName == "eth0" {
            digest = SHA1.hex("\(podNamespace).\(podName)")
        } else {
            digest = key.digest
        }
        return "cali" + String(digest.prefix(11))
    }
}
