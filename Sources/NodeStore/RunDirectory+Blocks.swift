package import IPAMCore
import LinuxOS
package import NetTypes

extension RunDirectory {
    /// The blocks that have a file in this boot, in the order of their networks.
    ///
    /// Each is whole, but without the lock they need not be of one moment.
    /// - Throws: `corrupt`, `system`.
    package func blocks() throws(StoreError) -> [Block] {
        var blocks: [Block] = []
        for cidr in try blockNetworks() {
            if let block = try block(cidr) { blocks.append(block) }
        }
        return blocks
    }

    /// The block that holds the address; nil when none has a file in this boot. No other block is read.
    /// - Throws: `corrupt`, `system`.
    package func block(containing address: IPAddress) throws(StoreError) -> Block? {
        for cidr in try blockNetworks() where cidr.contains(address) {
            if let block = try block(cidr) { return block }
        }
        return nil
    }

    /// Whether a block's record shows at a glance that the address is the key's. Most often it does; else `block` is to be
    /// read, which costs some hundred times as much and says what is wrong.
    /// - Throws: `system`.
    package func isAllocated(_ address: IPAddress, to key: AttachmentKey) throws(StoreError) -> Bool {
        for cidr in try blockNetworks() where cidr.contains(address) {
            if let text = try blockText(cidr), text.isAllocated(address, to: key) { return true }
        }
        return false
    }

    /// The block's file; nil when there is none in this boot.
    /// - Throws: `corrupt`, `system`.
    package func block(_ cidr: IPPrefix) throws(StoreError) -> Block? {
        let file = blockPath(cidr)
        guard let json = try readRecord(file, remedy: Remedy.block) else { return nil }
        let block = try decode(file, remedy: Remedy.block) { () throws(RecordError) in try Block(json: json) }
        guard block.cidr == cidr else {
            throw .corrupt(path: file, reason: "cidr: \(block.cidr) is not the file's name", remedy: Remedy.block)
        }
        return block.bootID == bootID ? block : nil
    }

    /// Removes the file of a block that the node owns no longer. What others keep from pods for its sake they give back.
    /// - Returns: false, and nothing is removed, while a pod has an address of the block.
    package func discard(_ cidr: IPPrefix, under lock: borrowing StoreLock) throws(StoreError) -> Bool {
        guard try !isOccupied(cidr) else { return false }
        var unsaved: [Block] = []
        if let gone = try block(cidr) {
            // As long as its file is there every ADD heeds it: nothing is given twice whoever is killed here.
            for other in try overlapping(cidr) {
                guard var other = try? block(other), other.leave(gone) else { continue }
                do {
                    try save(other, under: lock)
                } catch {
                    unsaved.append(other)
                }
            }
        }
        try system { () throws(SystemError) in _ = try Files.remove(blockPath(cidr)) }
        // A full disk has room again for one of them. Another keeps it: some addresses less, and none twice.
        for other in unsaved { try? save(other, under: lock) }
        return true
    }

    /// The networks that have a block file, of this boot or another, sorted.
    func blockNetworks() throws(StoreError) -> [IPPrefix] {
        try names(in: blocksPath).compactMap(Self.network(ofFile:)).sorted()
    }

    func save(_ block: Block, under lock: borrowing StoreLock) throws(StoreError) {
        try writeRecord(block.json, to: blockPath(block.cidr))
    }

    /// The block's file as text, if it is in the form in which one ordinal can be moved alone.
    func blockText(_ cidr: IPPrefix) throws(StoreError) -> BlockText? {
        guard let octets = try octets(of: blockPath(cidr), remedy: Remedy.block) else { return nil }
        return BlockText(octets, cidr: cidr, bootID: bootID)
    }

    func save(_ text: BlockText, of cidr: IPPrefix, under lock: borrowing StoreLock) throws(StoreError) {
        try system { () throws(SystemError) in try Files.replace(blockPath(cidr), with: text.octets) }
    }

    /// Writes a record out of which addresses were taken back, on a full disk too: it is the DELs that make room.
    ///
    /// Where there is no room for a second file the first one goes before. Who is killed between the two, or finds the
    /// room taken by others, leaves a block without a record, which is made again of the attachments.
    func saveFreed(_ octets: [UInt8], of cidr: IPPrefix, under lock: borrowing StoreLock) throws(StoreError) {
        let path = blockPath(cidr)
        guard try !isWritten(octets, to: path) else { return }
        try system { () throws(SystemError) in _ = try Files.remove(path) }
        _ = try isWritten(octets, to: path)
    }

    /// Replaces a file. False, and the file is as it was, where there is no room.
    private func isWritten(_ octets: [UInt8], to path: String) throws(StoreError) -> Bool {
        do throws(SystemError) {
            try Files.replace(path, with: octets)
            return true
        } catch {
            guard error.code.isLackOfRoom else { throw .system(error) }
            return false
        }
    }

    /// The block, made of the attachments if it has no file in this boot, with what blocks that share addresses with it
    /// have given away.
    ///
    /// It may have no file though pods live in it: somebody moved the file away, or the node owned the same addresses as
    /// part of another block before.
    func blockOrRebuilt(_ cidr: IPPrefix, under lock: borrowing StoreLock) throws(StoreError) -> Block {
        var block: Block
        if let recorded = try self.block(cidr) { block = recorded } else { block = try rebuilt(cidr) }
        for other in try overlapping(cidr) {
            if let other = try self.block(other) { block.enter(other) }
        }
        return block
    }

    /// The other blocks with a file that share addresses with this one.
    ///
    /// There are some after a change of the blocks' size, for as long as pods live in the old ones: each block's record
    /// knows of what was given out of it, and of nothing else.
    func overlapping(_ cidr: IPPrefix) throws(StoreError) -> [IPPrefix] {
        // Every ADD asks this, and most often its own block is the only one: names are compared before they are read.
        let own = Block.fileName(of: cidr)
        return try names(in: blocksPath).filter { $0 != own }.compactMap(Self.network(ofFile:))
            .filter { $0.overlaps(cidr) }.sorted()
    }

    /// The block as the attachments know it. This is the only place that reads every attachment.
    private func rebuilt(_ cidr: IPPrefix) throws(StoreError) -> Block {
        var block = try emptyBlock(cidr)
        for attachment in try owners(in: cidr) {
            for prefix in attachment.addresses where cidr.contains(prefix) {
                try? block.allocate(prefix.address, for: attachment.key)
                // What is refused needs no place: the address is reserved in this block and given to nobody, or a
                // killed ADD names an address that another key got after it.
            }
        }
        return block
    }

    private func emptyBlock(_ cidr: IPPrefix) throws(StoreError) -> Block {
        do throws(BlockError) {
            return try Block(cidr: cidr, bootID: bootID)
        } catch {
            throw .corrupt(path: nodePath, reason: "blocks: \(error)", remedy: Remedy.node)
        }
    }

    func blockPath(_ cidr: IPPrefix) -> String { "\(blocksPath)/\(Block.fileName(of: cidr))" }

    private static func network(ofFile name: String) -> IPPrefix? {
        guard name.hasSuffix(".json") else { return nil }
        let parts = String(name.dropLast(5)).parts(separatedBy: "-", omittingEmpty: false)
        guard parts.count == 3, let cidr = IPPrefix("\(parts[1])/\(parts[2])"), cidr.family.rawValue == parts[0] else {
            return nil
        }
        return cidr
    }
}
