import CNISpec
import IPAMCore
import NetTypes
import NodeStore

/// ADD of the IPAM plugin alone: an address for a link that another plugin makes.
///
/// Under ptp, bridge or macvlan a pod needs a gateway on its own subnet: the block is that subnet, and the last address
/// that can be a host's, kept from pods, the gateway.
struct AddressCommand {
    private let call: PluginCall
    private let desk: AttachmentDesk

    init(_ call: PluginCall) {
        self.call = call
        desk = AttachmentDesk(call)
    }

    /// Allocates and answers the result to print.
    func run() throws -> JSONValue {
        let requests = try call.requests()
        let plan = AddressPlan(call, daemon: try call.daemonLine(), requests: requests, wantsGateway: true)
        // A mode that the node's pools have not is refused before anything is made.
        let basis = try plan.basis(call.store.nodeState())
        var file = try desk.claim(with: plan.first(basis, hostLink: nil))
        do {
            let answer = try plan.allocate(for: &file, basis)
            let result = CNIResult(
                addresses: answer.allocations.map { allocation in
                    CNIResult.Address(
                        address: CIDRAddress(allocation.address, length: allocation.block.cidr.length),
                        gateway: allocation.gateway)
                },
                routes: call.config.ipamRoutes, dns: call.config.dns)
            let json = try result.json(version: call.config.version)
            try desk.keepOnly(answer.allocations.map(\.address.family), of: &file)
            try file.update { $0.state = .complete }
            return json
        } catch {
            release(file)
            throw error
        }
    }

    private func release(_ file: consuming AttachmentFile) {
        do {
            try desk.release(file)
        } catch {
            call.log.write(.error, "ADD \(call.key): its address is kept until DEL: \(error)")
        }
    }
}
