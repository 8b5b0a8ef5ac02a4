import Netfilter
import TestKit
import Testing

/// The table in a namespace of its own, in which nobody else has a table.
@Suite(.enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct FilterTableTests {
    @Test("the table is made once, and left alone when it is as it should be")
    func idempotence() async throws {
        try await NetNSFixture.run { _ in
            #expect(try FilterTable.current() == nil)
            #expect(try FilterTable.apply() == .made)
            #expect(try FilterTable.current() == FilterTable.text)
            #expect(try FilterTable.apply() == .none)
            try FilterTable.remove()
            #expect(try FilterTable.current() == nil)
            try FilterTable.remove()
        }
    }
}
