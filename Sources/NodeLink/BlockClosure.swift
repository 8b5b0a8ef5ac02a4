/// Why a block gives no new addresses.
package enum BlockClosure: String, Sendable, Hashable, CaseIterable {
    /// Two owners, or two pools, claim it.
    case conflict
    /// Its pool does not select the node.
    case selector
    /// Its pool is disabled.
    case disabled
    /// The `allowedUses` of its pool are others than pods.
    case uses
    /// Its BlockAffinity is not confirmed, or being deleted.
    case affinityState
    /// Nothing gives it to the node any more, and pods are left in it.
    case withdrawn
    /// No pool holds it.
    case noPool
    /// Something else.
    case other
}
