package import NetTypes

/// Plain routes to the nodes of the own subnet, a tunnel to the others.
///
/// The subnet is that of this node's own address and mask, whatever the others think theirs is. A node whose mask is
/// not known has every other node beyond its subnet.
package struct CrossSubnetMode: ModePlugin {
    private let inner: any ModePlugin

    /// Makes the combinator over a tunnel's plugin.
    package init(inner: any ModePlugin) {
        self.inner = inner
    }

    package var mode: EncapsulationMode { .crosssubnet }

    package func device(for family: AddressFamily) -> TunnelDevice? { inner.device(for: family) }

    package func overheadBytes(over family: AddressFamily) -> UInt32 { inner.overheadBytes(over: family) }

    package func forwarding(
        to block: IPPrefix, via remote: RemoteNode, in context: ForwardingContext,
    ) -> ForwardingAnswer {
        let own = context.nodeAddresses.first { $0.address.family == remote.nextHop.family }
        let plugin: any ModePlugin = own?.network.contains(remote.nextHop) ?? false ? BGPMode() : inner
        return plugin.forwarding(to: block, via: remote, in: context)
    }
}
