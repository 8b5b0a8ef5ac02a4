/// The lowest MED of each neighbouring AS among routes that are as good up to step (b): what step (c) goes by.
///
/// Nothing is allocated while the routes come from one or two neighbouring ASes.
struct LowestMEDs {
    private var first: (neighbourAS: UInt32, med: UInt32)?
    private var second: (neighbourAS: UInt32, med: UInt32)?
    private var others: [UInt32: UInt32] = [:]

    /// Takes a route in.
    mutating func insert(_ rank: RouteRank) {
        let (number, med) = (rank.fields.neighbourAS, rank.fields.med)
        if first == nil || first?.neighbourAS == number {
            first = (number, min(first?.med ?? med, med))
        } else if second == nil || second?.neighbourAS == number {
            second = (number, min(second?.med ?? med, med))
        } else {
            others[number] = min(others[number] ?? med, med)
        }
    }

    /// Whether a route has a higher MED than another from its neighbouring AS.
    func rulesOut(_ rank: RouteRank) -> Bool {
        let number = rank.fields.neighbourAS
        if let first, first.neighbourAS == number { return first.med < rank.fields.med }
        if let second, second.neighbourAS == number { return second.med < rank.fields.med }
        return others[number].map { $0 < rank.fields.med } ?? false
    }
}
