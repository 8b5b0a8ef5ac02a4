package import IPAMCore
import LinuxOS
package import NetTypes

extension RunDirectory {
    /// Gives the attachment an address of the oldest open block that has one free: attachment first, then block.
    ///
    /// An attachment taken over keeps the address it has, if the request allows it; otherwise that one is let go first.
    /// - Throws: `corrupt`, `system`. Then the attachment may name an address it has not; `release` copes.
    package func allocate(
        _ request: AllocationRequest, for file: inout AttachmentFile, node: NodeState,
        under lock: borrowing StoreLock,
    ) throws(StoreError) -> AllocationOutcome {
        let enabled = node.pools(family: request.family, mode: request.mode)
        // Who names an address has named its pool.
        let automatic = enabled.filter { !$0.isManual || request.address.map($0.cidr.contains) ?? false }.map(\.name)
        let pools = request.pools.map { $0.filter(enabled.map(\.name).contains) } ?? automatic
        guard !pools.isEmpty else { return .noPool(modes: node.modes(family: request.family)) }
        let candidates = node.blocks.filter {
            $0.cidr.family == request.family && pools.contains($0.pool) && !$0.isClosed
        }
        // Of all pools the oldest block is filled first; of listed ones the first listed pool's.
        let open =
            request.pools == nil
            ? candidates : pools.flatMap { pool in candidates.filter { $0.pool == pool } }
        let kept = try keep(request, of: file.attachment, in: open, sparing: node.withheld, under: lock)
        if let kept { return .allocated(kept) }
        try letGo(request.family, of: &file, under: lock)
        if let address = request.address {
            if node.withheld.keeps(address, isAskedFor: true) { return .unavailable(.nodeAddress(address)) }
            return try allocate(address, request, for: &file, in: open, under: lock)
        }
        guard !open.isEmpty else { return .noBlock }
        var gatewaysTaken: [BlockError] = []
        for owned in open {
            let taken = try takeInPlace(request, from: owned.cidr, for: &file, sparing: node.withheld, under: lock)
            if let taken {
                return .allocated(Allocation(address: taken.address, block: owned, gateway: taken.gateway))
            }
            var block = try blockOrRebuilt(owned.cidr, under: lock)
            let other: (address: IPAddress, gateway: IPAddress?)
            do throws(BlockError) {
                other = try Self.take(request, from: &block, for: file.key, sparing: node.withheld)
            } catch {
                // Nothing but the gateway is asked for by its address.
                if case .taken = error { gatewaysTaken.append(error) }
                continue
            }
            try record(other.address, hostLink: request.hostLink, in: block, for: &file, under: lock)
            return .allocated(Allocation(address: other.address, block: owned, gateway: other.gateway))
        }
        return .exhausted(full: open.map(\.cidr), gatewaysTaken: gatewaysTaken)
    }

    /// Takes back every address of the attachment and keeps the record: before its addresses are asked for again of
    /// somebody else.
    package func letGo(of file: inout AttachmentFile, under lock: borrowing StoreLock) throws(StoreError) {
        for family in AddressFamily.allCases { try letGo(family, of: &file, under: lock) }
    }

    /// Records an address that the attachment has of somebody else: of an IPAM plugin that keeps books of its own.
    ///
    /// An address in a block of this node is entered there, too, so that no other pod is given it.
    /// - Returns: the block; nil for an address outside of all.
    /// - Throws: `corrupt`, `system`.
    package func adopt(
        _ address: IPAddress, for file: inout AttachmentFile, node: NodeState?, under lock: borrowing StoreLock,
    ) throws(StoreError) -> Result<NodeState.OwnedBlock?, BlockError> {
        if let node, node.withheld.keeps(address, isAskedFor: true) { return .failure(.nodeAddress(address)) }
        guard let owned = node?.block(containing: address) else {
            try file.update { $0.addresses.append(address.hostPrefix) }
            return .success(nil)
        }
        var block = try blockOrRebuilt(owned.cidr, under: lock)
        do throws(BlockError) {
            try block.allocate(address, for: file.key)
        } catch {
            return .failure(error)
        }
        try record(address, hostLink: nil, in: block, for: &file, under: lock)
        return .success(owned)
    }

    /// Takes back every address of the attachment and removes it: blocks first, then attachment.
    ///
    /// - Returns: the addresses that are free now. Where the key has a newer ADD's record by now, what that one has is no
    ///   more this one's to take back.
    /// - Throws: `corrupt`, `system`. What was not taken back is still named by the attachment: do it again.
    @discardableResult
    package func release(
        _ file: consuming AttachmentFile, under lock: borrowing StoreLock,
    ) throws(StoreError) -> [IPAddress] {
        if try file.isSuperseded() { return try takeBackSuperseded(file.attachment, under: lock) }
        let released = try takeBack(file.attachment.addresses, of: file.key, under: lock)
        try file.remove()
        return released
    }

    /// Takes back the addresses that the key's newer record does not name.
    private func takeBackSuperseded(
        _ former: Attachment, under lock: borrowing StoreLock,
    ) throws(StoreError) -> [IPAddress] {
        let kept = try attachment(former.key)?.addresses ?? []
        var released: [IPAddress] = []
        for prefix in former.addresses where !kept.contains(prefix) {
            if try takeBack(prefix.address, of: former.key, under: lock) { released.append(prefix.address) }
        }
        return released
    }

    /// Takes back what blocks hold for a key that has no attachment, because somebody moved its file away.
    ///
    /// It reads every block as a value, which takes milliseconds for a large one: `mayHold` tells before whether to.
    @discardableResult
    package func releaseStray(
        _ key: AttachmentKey, under lock: borrowing StoreLock,
    ) throws(StoreError) -> [IPAddress] {
        var released: [IPAddress] = []
        for cidr in try blockNetworks() { released += try takeBack(from: cidr, of: key, under: lock) }
        return released
    }

    /// Whether the record of some block names the key's container, seen without the lock and in microseconds. A DEL of a
    /// key that nobody knows of is done with that.
    /// - Throws: `system`, `corrupt`.
    package func mayHold(_ key: AttachmentKey) throws(StoreError) -> Bool {
        // The id is the part that tells keys apart, and of letters that no JSON need escape.
        let id = Array(key.containerID.utf8)
        for cidr in try blockNetworks() {
            if let octets = try octets(of: blockPath(cidr), remedy: Remedy.block), octets.holds(id) { return true }
        }
        return false
    }

    /// The address the attachment has already, if the request could have given it.
    private func keep(
        _ request: AllocationRequest, of attachment: Attachment, in open: [NodeState.OwnedBlock],
        sparing withheld: WithheldAddresses, under lock: borrowing StoreLock,
    ) throws(StoreError) -> Allocation? {
        for prefix in attachment.addresses where prefix.family == request.family {
            if withheld.keeps(prefix.address, isAskedFor: request.address != nil) { continue }
            guard let owned = open.first(where: { $0.cidr.contains(prefix) }),
                request.address.map({ $0 == prefix.address }) ?? true,
                var block = try block(owned.cidr), block.owner(of: prefix.address) == attachment.key
            else { continue }
            guard request.wantsGateway else { return Allocation(address: prefix.address, block: owned, gateway: nil) }
            guard let gateway = try? block.reserveGateway() else { continue }
            try save(block, under: lock)
            return Allocation(address: prefix.address, block: owned, gateway: gateway)
        }
        return nil
    }

    /// Takes back the attachment's addresses of the family: blocks first, then attachment.
    /// Takes back the attachment's addresses of one family, and keeps the record.
    package func letGo(
        _ family: AddressFamily, of file: inout AttachmentFile, under lock: borrowing StoreLock,
    ) throws(StoreError) {
        let stale = file.attachment.addresses.filter { $0.family == family }
        guard !stale.isEmpty else { return }
        _ = try takeBack(stale, of: file.key, under: lock)
        try file.update { $0.addresses.removeAll { $0.family == family } }
    }

    private func allocate(
        _ address: IPAddress, _ request: AllocationRequest, for file: inout AttachmentFile,
        in open: [NodeState.OwnedBlock], under lock: borrowing StoreLock,
    ) throws(StoreError) -> AllocationOutcome {
        guard let owned = open.first(where: { $0.cidr.contains(address) }) else { return .noBlock }
        var block = try blockOrRebuilt(owned.cidr, under: lock)
        var gateway: IPAddress?
        do throws(BlockError) {
            if request.wantsGateway { gateway = try block.reserveGateway() }
            try block.allocate(address, for: file.key)
        } catch {
            return .unavailable(error)
        }
        try record(address, hostLink: request.hostLink, in: block, for: &file, under: lock)
        return .allocated(Allocation(address: address, block: owned, gateway: gateway))
    }

    private static func take(
        _ request: AllocationRequest, from block: inout Block, for key: AttachmentKey,
        sparing withheld: WithheldAddresses,
    ) throws(BlockError) -> (address: IPAddress, gateway: IPAddress?) {
        let gateway = request.wantsGateway ? try block.reserveGateway() : nil
        return (try block.allocate(for: key, sparing: withheld), gateway)
    }

    /// Takes the next address without reading the block as a value; nil when that must be done.
    private func takeInPlace(
        _ request: AllocationRequest, from cidr: IPPrefix, for file: inout AttachmentFile,
        sparing withheld: WithheldAddresses, under lock: borrowing StoreLock,
    ) throws(StoreError) -> (address: IPAddress, gateway: IPAddress?)? {
        guard try overlapping(cidr).isEmpty, var text = try blockText(cidr) else { return nil }
        let gateway = request.wantsGateway ? text.reservedGateway : nil
        guard gateway != nil || !request.wantsGateway,
            let address = text.allocate(for: file.key, sparing: withheld)
        else { return nil }
        // The order of these two is the store's invariant.
        try record(address, hostLink: request.hostLink, in: &file)
        try save(text, of: cidr, under: lock)
        return (address, gateway)
    }

    /// The order of these two is the store's invariant.
    private func record(
        _ address: IPAddress, hostLink: String?, in block: Block, for file: inout AttachmentFile,
        under lock: borrowing StoreLock,
    ) throws(StoreError) {
        try record(address, hostLink: hostLink, in: &file)
        try save(block, under: lock)
    }

    private func record(
        _ address: IPAddress, hostLink: String?, in file: inout AttachmentFile,
    ) throws(StoreError) {
        try file.update {
            $0.addresses.append(address.hostPrefix)
            if let hostLink { $0.hostLink = hostLink }
        }
    }

    private func takeBack(
        _ addresses: [IPPrefix], of key: AttachmentKey, under lock: borrowing StoreLock,
    ) throws(StoreError) -> [IPAddress] {
        guard !addresses.isEmpty else { return [] }
        var released: [IPAddress] = []
        for cidr in try blockNetworks() {
            let inside = addresses.filter { cidr.contains($0) }.map(\.address)
            guard !inside.isEmpty else { continue }
            if var text = try blockText(cidr), inside.allSatisfy({ text.release($0, of: key) }) {
                try saveFreed(text.octets, of: cidr, under: lock)
                released += inside
            } else {
                released += try takeBack(from: cidr, of: key, under: lock)
            }
        }
        return released
    }

    private func takeBack(
        from cidr: IPPrefix, of key: AttachmentKey, under lock: borrowing StoreLock,
    ) throws(StoreError) -> [IPAddress] {
        guard var block = try block(cidr) else { return [] }
        let released = block.release(key)
        if !released.isEmpty { try saveFreed(Self.text(block.json), of: cidr, under: lock) }
        return released
    }
}
