import LinuxOS
import NetTypes
package import Netlink

/// Carries tunnel devices and their tables to the kernel.
///
/// Its calls block: one thread owns it. It stays in the network namespace its socket was opened in.
package struct TunnelDriver: ~Copyable {
    /// The neighbours and forwarding entries. Wishes go straight in.
    package var table: TunnelTable
    private var socket: NetlinkSocket

    /// Takes the socket; nothing is asked of it yet.
    package init(socket: consuming NetlinkSocket, protocolNumber: UInt8 = 97) {
        self.socket = socket
        table = TunnelTable(protocolNumber: protocolNumber)
    }

    /// Goes on with another socket, the first having failed.
    package mutating func reopen(with socket: consuming NetlinkSocket) { self.socket = socket }

    /// Makes a device be as wanted.
    ///
    /// - Returns: the link, as it was found after the last step, and the steps that were needed.
    /// - Throws: `TunnelDeviceProblem`; the device may be half made, and another call goes on.
    package mutating func shape(
        _ spec: TunnelDeviceSpec,
    ) throws(TunnelDeviceProblem) -> (link: Link, steps: [TunnelDeviceStep]) {
        var done: [TunnelDeviceStep] = []
        // Made, changed, found as it should be; once more for a device that appears with its module.
        for _ in 0..<4 {
            let (link, addresses) = try find(spec.link.name)
            let steps = try spec.steps(link: link, addresses: addresses)
            if steps.isEmpty, let link { return (link, done) }
            do throws(NetlinkError) {
                for step in steps { try carryOut(step) }
            } catch {
                // A module that is loaded for the request makes the device by itself.
                guard error.operation == .linkCreate, error.code == .EEXIST, link == nil else { throw .refused(error) }
                guard try find(spec.link.name).0 != nil else { throw .refused(error) }
            }
            done += steps
        }
        throw .refused(NetlinkError(.linkSet, spec.link.name, .EAGAIN))
    }

    /// Takes a device away that is not wanted.
    ///
    /// - Returns: whether there was anything to take away.
    @discardableResult
    package mutating func remove(_ name: String) throws(TunnelDeviceProblem) -> Bool {
        let (link, addresses) = try find(name)
        guard let link else { return false }
        let steps = TunnelDeviceSpec.removal(of: link, addresses: addresses)
        do throws(NetlinkError) {
            for step in steps { try carryOut(step) }
        } catch {
            throw .refused(error)
        }
        return !steps.isEmpty
    }

    /// Reads the tables of these devices anew.
    package mutating func resync(links: some Sequence<UInt32>) throws(NetlinkError) {
        var neighbours: [Neighbour] = []
        var fdb: [FDBEntry] = []
        for link in links {
            do throws(NetlinkError) {
                neighbours += try socket.neighbours(linkIndex: link)
                fdb += try socket.fdb(linkIndex: link)
            } catch {
                // The link has gone meanwhile, and its tables with it.
                guard error.code == .ENODEV else { throw error }
            }
        }
        table.adopt(neighbours: neighbours, fdb: fdb)
    }

    /// Adds what routes are about to need.
    ///
    /// - Returns: what the kernel refused.
    package mutating func add() throws(NetlinkError) -> [NetlinkError] { try carryOut(table.additions) }

    /// Removes what no route needs; `gateways` are those of the kernel's own routes.
    ///
    /// - Returns: what the kernel refused.
    package mutating func removeLeftovers(
        gateways: Set<TunnelTable.NeighbourKey>,
    ) throws(NetlinkError) -> [NetlinkError] {
        try carryOut(table.removals(gateways: gateways))
    }

    private mutating func carryOut(_ operations: [TunnelOperation]) throws(NetlinkError) -> [NetlinkError] {
        guard !operations.isEmpty else { return [] }
        let failures = try socket.execute(NetlinkBatch(operations.map(\.request)), acknowledgeEach: false)
        var errors: [Int: NetlinkError] = [:]
        for failure in failures { errors[failure.index] = failure.error }
        var refused: [NetlinkError] = []
        for (index, operation) in operations.enumerated() {
            guard let error = errors[index], !operation.isDone(by: error) else {
                table.applied(operation)
                continue
            }
            table.failed(operation, error)
            refused.append(error)
        }
        return refused
    }

    private mutating func find(_ name: String) throws(TunnelDeviceProblem) -> (Link?, [LinkAddress]) {
        do throws(NetlinkError) {
            guard let link = try socket.link(named: name) else { return (nil, []) }
            return (link, try socket.addresses(linkIndex: link.index).filter { $0.linkIndex == link.index })
        } catch {
            throw .refused(error)
        }
    }

    private mutating func carryOut(_ step: TunnelDeviceStep) throws(NetlinkError) {
        switch step {
        case .create(let link): try socket.execute(.createTunnel(link))
        case .delete(let index): try socket.deleteLink(index)
        case .set(let index, let settings): try socket.setLink(index, settings)
        case .addAddress(let address): try socket.execute(.addAddress(address))
        case .deleteAddress(let address): try socket.execute(.deleteAddress(address))
        }
    }
}

extension TunnelOperation {
    /// The message to the kernel.
    fileprivate var request: NetlinkRequest {
        switch self {
        case .setNeighbour(let neighbour): .setNeighbour(neighbour)
        case .deleteNeighbour(let neighbour): .deleteNeighbour(neighbour)
        case .setFDB(let entry): .setFDB(entry)
        case .deleteFDB(let entry): .deleteFDB(entry)
        }
    }

    /// Whether an error means that there was nothing left to do.
    fileprivate func isDone(by error: NetlinkError) -> Bool {
        switch self {
        case .deleteNeighbour, .deleteFDB: error.code == .ENOENT || error.code == .ENODEV
        case .setNeighbour, .setFDB: false
        }
    }
}
