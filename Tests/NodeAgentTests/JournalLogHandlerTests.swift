import Logging
import Testing

@testable import NodeAgent

@Suite("Lines for the journal")
struct JournalLogHandlerTests {
    private func line(
        _ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata? = nil,
        by handler: JournalLogHandler = JournalLogHandler(),
    ) -> String {
        handler.text(
            of: LogEvent(
                level: level, message: message, metadata: metadata, source: "", file: "", function: "", line: 0))
    }

    @Test(
        "Each level has syslog's number",
        arguments: [
            (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 2),
        ])
    func priorities(level: Logger.Level, number: Int) {
        #expect(line(level, "session lost") == "<\(number)>session lost\n")
    }

    @Test("Metadata comes after the message, by name; what the line says of itself counts before the logger's")
    func metadata() {
        var handler = JournalLogHandler()
        handler[metadataKey: "peer"] = "10.0.0.1"
        handler[metadataKey: "node"] = "a"
        #expect(
            line(.warning, "session lost", ["reason": "reset", "node": "b"], by: handler)
                == "<4>session lost node=b peer=10.0.0.1 reason=reset\n")
    }

    @Test("A message of several lines has its priority on each")
    func lines() {
        #expect(line(.error, "one\ntwo") == "<3>one\n<3>two\n")
    }
}
