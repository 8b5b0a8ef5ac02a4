package import NetTypes

extension [Block] {
    /// Whom blocks give an address to. Of blocks that share addresses, after a change of their size, one knows.
    package func owners(of address: IPAddress) -> Set<AttachmentKey> { Set(compactMap { $0.owner(of: address) }) }

    /// Whether blocks give an address to others than the key: then it is no more the key's, whatever its record names.
    package func giveToOthers(_ address: IPAddress, than key: AttachmentKey) -> Bool {
        let owners = owners(of: address)
        return !owners.isEmpty && !owners.contains(key)
    }
}
