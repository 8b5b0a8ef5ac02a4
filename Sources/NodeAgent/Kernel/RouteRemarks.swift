import Logging

/// Why destinations have no route, for the log: a reason that many have at once, as when a link goes, is one line.
struct RouteRemarks<Destination: Hashable & Comparable & Sendable>: Sendable {
    /// What is to be said.
    struct News: Sendable, Equatable {
        /// Why.
        let reason: String
        /// Of whom, the first of them.
        var first: Destination
        /// How many there are.
        var count: Int

        /// The same as a line's parts.
        var metadata: Logger.Metadata {
            var metadata: Logger.Metadata = ["prefix": "\(first)", "reason": "\(reason)"]
            if count > 1 { metadata["others"] = "\(count - 1)" }
            return metadata
        }
    }

    private var reasons: [Destination: String] = [:]
    private var news: [String: News] = [:]

    /// Takes why a destination has no route; nil when it has one, or is to have none.
    mutating func note(_ reason: String?, about destination: Destination) {
        guard !reasons.isEmpty || reason != nil, reasons[destination] != reason else { return }
        reasons[destination] = reason
        guard let reason else { return }
        var line = news[reason] ?? News(reason: reason, first: destination, count: 0)
        line.first = min(line.first, destination)
        line.count += 1
        news[reason] = line
    }

    /// What is new since this was asked last, each reason once.
    mutating func takeNews() -> [News] {
        guard !news.isEmpty else { return [] }
        defer { news = [:] }
        return news.values.sorted { $0.first < $1.first }
    }
}
