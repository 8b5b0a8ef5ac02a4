import NetTypes
import NodeLink
import Synchronization
import Testing

@testable import NodeAgent

@Suite("Tables that are larger than a message")
struct ListPagesTests {
    /// Reads a table of so many rows, page by page; what is asked for is of the first moment, whatever comes after.
    private static func read(_ count: Int) async throws -> (items: [JSONValue], pages: Int, readings: Int) {
        var pages = ListPages()
        let asked = PagedTable.bgp(.routes(within: nil))
        var (items, next, pageCount, readings) = ([JSONValue](), Optional(0), 0, 0)
        while let from = next {
            let result = await pages.page(asked, from: from) { table in
                #expect(table == asked)
                readings += 1
                let elements = Array(0..<(readings == 1 ? count : 1))
                return .success(TableRows(elements) { .object(["prefix": .string("row \($0)")]) })
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

    @Test("A row is made for the page that it is on, once, and not before")
    func rowsAsTheyAreNeeded() async throws {
        let made = Mutex(0)
        let rows = TableRows(Array(0..<100_000)) { index in
            made.withLock { $0 += 1 }
            return .object(["prefix": .string("row \(index)")])
        }
        var pages = ListPages()
        let first = try PageAnswer(await pages.page(.bgp(.routes(within: nil)), from: 0) { _ in .success(rows) }.get())
        // And the one that did not fit.
        #expect(made.withLock { $0 } == first.items.count + 1)
    }

    @Test("A page of another table is of that table, of its own moment")
    func otherTable() async throws {
        let prefix = try #require(IPPrefix("10.244.0.0/16"))
        var pages = ListPages()
        for view in [BGPView.routes(within: nil), .routes(within: prefix), .peers] {
            let result = await pages.page(.bgp(view), from: 1) { table in
                .success(TableRows(["", JSONValue.string("\(table)")]))
            }
            #expect(try PageAnswer(result.get()).items == [.string("\(PagedTable.bgp(view))")])
        }
    }

    @Test("A page that does not exist is empty, and a refusal is passed on")
    func oddQuestions() async throws {
        var pages = ListPages()
        for from in [-1, 5, Int.max] {
            let result = await pages.page(.list(.nodes), from: from) { _ in .success(TableRows([1, 2])) }
            #expect(try PageAnswer(result.get()) == PageAnswer(items: [], next: nil))
        }
        let refusal = RemoteError(code: 5, message: "no")
        let result = await pages.page(.list(.blocks), from: 0) { _ in .failure(refusal) }
        #expect(throws: RemoteError.self) { try result.get() }
    }
}
