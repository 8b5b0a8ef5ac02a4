import NetTypes

/// The forms that routes have: all that makes a route but its destination and metric. Thousands of routes share one, so
/// that a row of the table holds its number in place of the route.
struct RouteForms: Sendable {
    /// The number of a form; 0 stands for no route.
    typealias Number = UInt32

    /// The forms by number, as routes to nowhere; the first is nobody's.
    private var patterns = [Route(to: Self.nowhere, protocolNumber: 0)]
    /// How many rows name each form.
    private var uses = [0]
    private var numbers: [Route: Number] = [:]
    /// The numbers that are nobody's any more.
    private var free: [Number] = []
    /// The form that was asked for last: routes of one peer come together.
    private var latest: Number = 0
    /// The links of the forms in use, each with how many of their hops leave by it. They are few.
    private(set) var linkUse: [(link: UInt32, hops: Int)] = []

    private static let nowhere = IPPrefix(masking: .v4(IPv4Address(rawValue: 0)), length: 0)

    /// The number of a route's form, which is a new one where no route has had it.
    ///
    /// - Complexity: O(1)
    mutating func number(of route: Route?) -> Number {
        guard let route else { return 0 }
        if latest != 0, patterns[Int(latest)].hasForm(of: route) { return latest }
        var pattern = route
        pattern.destination = Self.nowhere
        pattern.metric = 0
        latest = numbers[pattern] ?? add(pattern)
        return latest
    }

    private mutating func add(_ pattern: Route) -> Number {
        let number: Number
        if let former = free.popLast() {
            number = former
            patterns[Int(number)] = pattern
        } else {
            number = Number(patterns.count)
            patterns.append(pattern)
            uses.append(0)
        }
        numbers[pattern] = number
        return number
    }

    /// The route to a destination that has the form; nil for 0.
    func route(_ number: Number, at key: RouteKey) -> Route? {
        number == 0 ? nil : patterns[Int(number)].sent(to: key.destination, metric: key.metric)
    }

    /// A form, as a route to nowhere.
    func pattern(_ number: Number) -> Route { patterns[Int(number)] }

    /// Whether a form in use has this hop and no other.
    func isNamed(_ hop: Route.Hop) -> Bool {
        patterns.indices.contains { uses[$0] > 0 && patterns[$0].hops.count == 1 && patterns[$0].hops[0] == hop }
    }

    /// The forms that leave by links that are down alone, by number.
    func held(by downLinks: Set<UInt32>) -> [Bool] {
        downLinks.isEmpty ? [] : patterns.map { $0.heldLink(by: downLinks) != nil }
    }

    /// Whether a form has a way by one of the links, by number.
    func leaving(by links: Set<UInt32>) -> [Bool] {
        patterns.map { $0.hops.contains { links.contains($0.linkIndex) } }
    }

    /// Takes down that a row names a form in place of another.
    mutating func replace(_ former: Number, with new: Number) {
        guard former != new else { return }
        if new != 0 {
            uses[Int(new)] += 1
            if uses[Int(new)] == 1 { countLinks(of: new, by: 1) }
        }
        guard former != 0 else { return }
        uses[Int(former)] -= 1
        guard uses[Int(former)] == 0 else { return }
        countLinks(of: former, by: -1)
        numbers[patterns[Int(former)]] = nil
        free.append(former)
        if latest == former { latest = 0 }
    }

    private mutating func countLinks(of number: Number, by step: Int) {
        for hop in patterns[Int(number)].hops where hop.linkIndex != 0 {
            guard let place = linkUse.firstIndex(where: { $0.link == hop.linkIndex }) else {
                linkUse.append((hop.linkIndex, step))
                continue
            }
            linkUse[place].hops += step
            if linkUse[place].hops == 0 { linkUse.remove(at: place) }
        }
    }
}

extension Route {
    /// Whether the two differ in nothing but destination and metric.
    fileprivate func hasForm(of other: Route) -> Bool {
        hops == other.hops && kind == other.kind && scope == other.scope && protocolNumber == other.protocolNumber
            && preferredSource == other.preferredSource
    }

    /// The route with another destination and metric.
    func sent(to destination: IPPrefix, metric: UInt32) -> Route {
        var route = self
        route.destination = destination
        route.metric = metric
        return route
    }
}
