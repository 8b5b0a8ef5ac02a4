package import NetTypes

/// The ASes that a route has passed, the nearest first (RFC 4271 §5.1.2).
package struct ASPath: Sendable, Hashable, CustomStringConvertible {
    /// A run of the path.
    package enum Segment: Sendable, Hashable {
        /// AS_SEQUENCE: the ASes in order.
        case sequence([ASNumber])
        /// AS_SET: ASes in no order, left by an aggregation.
        case set([ASNumber])

        /// The ASes of the segment.
        package var asNumbers: [ASNumber] {
            switch self {
            case .sequence(let numbers), .set(let numbers): numbers
            }
        }
    }

    /// The runs, the nearest first; none is empty, and no two sequences are neighbours.
    package private(set) var segments: [Segment]

    /// Makes a path. Empty segments are left out, and neighbouring sequences are joined: they are one sequence that the
    /// 255 ASes of a segment on the wire were too few for, and equal paths shall be equal values.
    package init(_ segments: [Segment] = []) {
        self.segments = []
        for segment in segments where !segment.asNumbers.isEmpty {
            if case .sequence(let numbers) = segment, case .sequence(let before)? = self.segments.last {
                self.segments[self.segments.count - 1] = .sequence(before + numbers)
            } else {
                self.segments.append(segment)
            }
        }
    }

    /// Makes a path of one sequence.
    package init(sequence: [ASNumber]) {
        self.init([.sequence(sequence)])
    }

    /// Whether the route comes from the own AS.
    package var isEmpty: Bool { segments.isEmpty }

    /// The length that the decision process compares: a set counts as one (RFC 4271 §9.1.2.2 a).
    package var length: Int {
        segments.reduce(0) { sum, segment in
            switch segment {
            case .sequence(let numbers): sum + numbers.count
            case .set: sum + 1
            }
        }
    }

    /// The neighbouring AS, from which the route came; nil for an empty path or one that begins with a set.
    package var firstAS: ASNumber? {
        guard case .sequence(let numbers)? = segments.first else { return nil }
        return numbers.first
    }

    /// The AS where the route came into BGP; nil for an empty path or one that ends with a set.
    package var originAS: ASNumber? {
        guard case .sequence(let numbers)? = segments.last else { return nil }
        return numbers.last
    }

    /// Whether the route has passed `asNumber`.
    package func contains(_ asNumber: ASNumber) -> Bool {
        segments.contains { $0.asNumbers.contains(asNumber) }
    }

    /// How often `asNumber` stands in the path.
    package func count(of asNumber: ASNumber) -> Int {
        segments.reduce(0) { sum, segment in sum + segment.asNumbers.count { $0 == asNumber } }
    }

    /// The path with `asNumber` in front, `count` times (RFC 4271 §5.1.2 b).
    package func prepending(_ asNumber: ASNumber, count: Int = 1) -> ASPath {
        guard count > 0 else { return self }
        var added: [ASNumber] = []
        added.reserveCapacity(count + (segments.first?.asNumbers.count ?? 0))
        for _ in 0..<count { added.append(asNumber) }
        var path = self
        if case .sequence(let numbers)? = segments.first {
            added.append(contentsOf: numbers)
            path.segments[0] = .sequence(added)
        } else {
            path.segments.insert(.sequence(added), at: 0)
        }
        return path
    }

    /// The ASes with spaces between, a set in braces: `64512 65001 {65002 65003}`.
    package var description: String {
        segments.map { segment in
            let text = segment.asNumbers.map(\.description).joined(separator: " ")
            return switch segment {
            case .sequence: text
            case .set: "{\(text)}"
            }
        }.joined(separator: " ")
    }
}
