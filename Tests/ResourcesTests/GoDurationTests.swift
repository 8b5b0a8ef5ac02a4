import Testing

@testable import Resources

@Suite("Go's durations")
struct GoDurationTests {
    @Test(
        "text that is one",
        arguments: [
            ("0", Duration.zero), ("0s", .zero), ("120s", .seconds(120)), ("2m", .seconds(120)),
            ("1h30m5s", .seconds(5405)), ("1.5s", .milliseconds(1500)), (".5s", .milliseconds(500)),
            ("1.s", .seconds(1)), ("300ms", .milliseconds(300)), ("2us", .microseconds(2)), ("2µs", .microseconds(2)),
            ("7ns", .nanoseconds(7)), ("1.0000000001s", .seconds(1)), ("2562047h", .seconds(2_562_047 * 3600)),
        ])
    func good(text: String, expected: Duration) {
        #expect(GoDuration.parse(text) == expected)
    }

    @Test(
        "text that is none",
        arguments: [
            "", "120", "s", ".s", "1.2.3s", "1d", "-1s", "+1s", "1 s", "1s ", "2562048h", "99999999999999999999s",
            "9223372036854775807ns1ns", "1e3s", "１s",
        ])
    func bad(text: String) {
        #expect(GoDuration.parse(text) == nil)
    }
}
