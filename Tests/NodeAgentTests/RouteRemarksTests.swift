import Logging
import NetTypes
import Testing

@testable import NodeAgent

@Suite("Why there is no route")
struct RouteRemarksTests {
    @Test("Many destinations with one reason are one line, and each is told of once until it has a route")
    func lines() {
        let prefixes = (0..<1000).map { prefix("10.\($0 / 256).\($0 % 256).0/24") }
        var remarks = RouteRemarks<IPPrefix>()
        for prefix in prefixes.reversed() { remarks.note("its link is down", about: prefix) }
        remarks.note("no such node", about: prefix("10.9.9.0/24"))
        let news = remarks.takeNews()
        #expect(news.map(\.reason) == ["its link is down", "no such node"])
        #expect(news.map(\.first) == [prefixes[0], prefix("10.9.9.0/24")])
        #expect(news.map(\.count) == [1000, 1])
        #expect(news[0].metadata == ["prefix": "10.0.0.0/24", "reason": "its link is down", "others": "999"])
        #expect(news[1].metadata["others"] == nil)

        for prefix in prefixes { remarks.note("its link is down", about: prefix) }
        #expect(remarks.takeNews().isEmpty)
        remarks.note(nil, about: prefixes[7])
        #expect(remarks.takeNews().isEmpty)
        remarks.note("its link is down", about: prefixes[7])
        #expect(remarks.takeNews().map(\.count) == [1])
    }
}
