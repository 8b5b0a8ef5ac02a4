import Testing

@testable import NodeAgent

@Suite("Numbers for Prometheus")
struct MetricsTextTests {
    @Test("a family has its help, its type and a line for each sample; one without samples is left out")
    func families() {
        var text = MetricsText()
        text.append("apus_x", .gauge, "What it is.", [.init(1), .init(-2, [("peer", "fd00::1"), ("as", "1")])])
        text.append("apus_none", .counter, "Nothing.", [])
        #expect(
            text.text == """
                # HELP apus_x What it is.
                # TYPE apus_x gauge
                apus_x 1
                apus_x{peer="fd00::1",as="1"} -2

                """)
    }

    @Test("a label's value cannot end the label")
    func escapes() {
        var text = MetricsText()
        text.append("a", .counter, "b", [.init(1, [("c", "x\"} 2\n\\")])])
        #expect(text.text.hasSuffix("a{c=\"x\\\"} 2\\n\\\\\"} 1\n"))
    }
}
