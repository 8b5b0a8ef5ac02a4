import NetTypes
import NodeLink
import Testing

@testable import NodeAgent

@Suite("Tables that are larger than a message")
struct ListPagesTests {
    /// Reads a table of so many rows, page by page; what is asked for is of the first moment, whatever comes after.
    private static func read(_ count: Int) async throws -> (items: [JSONValue], pages: Int, readings: Int) {
        var pages = ListPages()
        var (items, next, pageCount, readings) = ([JSONValue](), Optional(0), 0, 0)
        while let from = next {
            let result = await pages.page(.routes, from: from) { operation in
                #expect(operation == .get(.routes))
                readings += 1
                let rows = (0..<(readings == 1 ? count : 1)).map { JSONValue.object(["prefix": .string("row \($0)")]) }
                return .success(["items": .array(rows)])
            }
            let page = try PageAnswer(result.get())
            _ = try FrameDecoder.encode(Response(id: 1, result: result).json)
            items += page.items
            pageCount += 1
            #expect(page.next == nil || page.next == items.count)
            next = page.next
        }
        return (items, pageCount, readings)
    }

    @Test("Every row comes once, in order, in messages that fit", arguments: [0, 1, 100_000])
    func pages(count: Int) async throws {
        let table = try await Self.read(count)
        #expect(table.items.count == count)
        #expect(table.items.last?.object?["prefix"]?.string == (count == 0 ? nil : "row \(count - 1)"))
        #expect(table.readings == 1)
        #expect(table.pages == (count == 100_000 ? 5 : 1))
    }

    @Test("A page that does not exist is empty, and a refusal is passed on")
    func oddQuestions() async throws {
        var pages = ListPages()
        for from in [-1, 5, Int.max] {
            let result = await pages.page(.nodes, from: from) { _ in .success(["items": [1, 2]]) }
            #expect(try PageAnswer(result.get()) == PageAnswer(items: [], next: nil))
        }
        let refusal = RemoteError(code: 5, message: "no")
        let result = await pages.page(.blocks, from: 0) { _ in .failure(refusal) }
        #expect(throws: RemoteError.self) { try result.get() }
    }
}
