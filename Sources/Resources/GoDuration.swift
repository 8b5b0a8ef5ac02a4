/// Durations as Go writes them, which is how Calico's resources carry them: `120s`, `1h30m`, `1.5s`, `300ms`.
enum GoDuration {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ]

    /// The duration, never negative; nil for any other text and for more than 292 years.
    static func parse(_ text: String) -> Duration? {
        var rest = text[...]
        var total: Int64 = 0
        guard !rest.isEmpty, rest != "0" else { return rest.isEmpty ? nil : .zero }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest[number.endIndex...]
            let name = rest.prefix { $0.isLetter }
            rest = rest[name.endIndex...]
            guard let unit = units.first(where: { $0.name == name })?.nanoseconds,
                let part = nanoseconds(number, unit: unit)
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return .nanoseconds(total)
    }

    private static func nanoseconds(_ number: Substring, unit: Int64) -> Int64? {
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let count = Int64(whole.isEmpty ? "0" : whole), number != "." else {
            return nil
        }
        guard !number.isEmpty else { return nil }
        var (result, overflow) = count.multipliedReportingOverflow(by: unit)
        var scale = unit
        for digit in parts.dropFirst().joined() {
            guard let value = digit.wholeNumberValue else { return nil }
            scale /= 10
            let (sum, carried) = result.addingReportingOverflow(scale * Int64(value))
            result = sum
            overflow = overflow || carried
        }
        return overflow ? nil : result
    }
}
