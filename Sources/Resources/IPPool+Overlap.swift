package import NetTypes

extension [IPPool] {
    /// The pool that a block lies in; of overlapping pools the narrowest.
    package func narrowest(around block: IPPrefix) -> IPPool? {
        filter { $0.cidr.contains(block) }.max { $0.cidr.length < $1.cidr.length }
    }

    /// Why no address of a block may be given out, where two pools overlap in it, naming both; nil where none do.
    package func dispute(over block: IPPrefix) -> String? {
        let holders = filter { $0.cidr.overlaps(block) }
        guard let first = holders.first, let second = holders.dropFirst().first else { return nil }
        return "block \(block) lies in two pools: IPPool/\(first.name) \(first.cidr) and "
            + "IPPool/\(second.name) \(second.cidr)"
    }

    /// The other pools that overlap one.
    package func rivals(of pool: IPPool) -> [IPPool] {
        filter { $0.name != pool.name && $0.cidr.overlaps(pool.cidr) }
    }
}
