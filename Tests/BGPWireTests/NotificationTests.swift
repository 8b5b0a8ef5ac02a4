import BGPWire
import Testing

@Suite("NOTIFICATION")
struct NotificationTests {
    @Test(
        "has words for its numbers",
        arguments: [
            (NotificationMessage(code: 6, subcode: 2), "Cease/Administrative Shutdown"),
            (NotificationMessage(code: 4, subcode: 0), "Hold Timer Expired"),
            (NotificationMessage(code: 3, subcode: 11), "UPDATE Message Error/Malformed AS_PATH"),
            (NotificationMessage(code: 6, subcode: 99), "Cease/Subcode 99"),
            (NotificationMessage(code: 77, subcode: 1), "Code 77/Subcode 1"),
            (.cease(2, because: "moving racks"), "Cease/Administrative Shutdown: \"moving racks\""),
            (
                NotificationMessage(cease: 9, data: [6, 4, 3] + Array("bye".utf8)),
                "Cease/Hard Reset (Cease/Administrative Reset: \"bye\")"
            ),
            (NotificationMessage(cease: 9, data: [6, 9, 6, 9, 6, 9]), "Cease/Hard Reset (Cease/Hard Reset)"),
            (NotificationMessage(cease: 9, data: [6]), "Cease/Hard Reset"),
        ])
    func words(_ message: NotificationMessage, _ text: String) {
        #expect(message.description == text)
    }

    @Test(
        "has a shutdown communication only where RFC 9003 puts one, and where it is text",
        arguments: [
            (NotificationMessage(cease: 4, data: [2, 104, 105]), "hi"),
            (NotificationMessage(cease: 2, data: [2, 104, 105, 33]), "hi"),
            (NotificationMessage(cease: 2, data: [3, 104, 10, 105]), "h?i"),
            (NotificationMessage(cease: 2, data: [3, 104, 105]), nil),
            (NotificationMessage(cease: 2, data: [0]), nil),
            (NotificationMessage(cease: 2, data: []), nil),
            (NotificationMessage(cease: 2, data: [2, 0xc3, 0x28]), nil),
            (NotificationMessage(cease: 3, data: [2, 104, 105]), nil),
            (NotificationMessage(code: 3, subcode: 2, data: [2, 104, 105]), nil),
        ] as [(NotificationMessage, String?)])
    func communication(_ message: NotificationMessage, _ text: String?) {
        #expect(message.shutdownCommunication == text)
    }

    @Test("A text of more than 255 octets is cut between characters")
    func cut() throws {
        let message = NotificationMessage.cease(2, because: String(repeating: "ä", count: 200))
        #expect(message.data.count == 255)
        #expect(message.shutdownCommunication == String(repeating: "ä", count: 127))
    }

    @Test("Data beyond the longest message is cut off")
    func longData() throws {
        let message = NotificationMessage(code: 3, subcode: 1, data: [UInt8](repeating: 1, count: 5000))
        let bytes = BGPMessage.notification(message).encode(ibgp)
        #expect(bytes.count == 4096)
        let read = NotificationMessage(code: 3, subcode: 1, data: [UInt8](repeating: 1, count: 4075))
        #expect(try BGPMessage.decode(bytes, context: ibgp) == .notification(read))
    }
}
