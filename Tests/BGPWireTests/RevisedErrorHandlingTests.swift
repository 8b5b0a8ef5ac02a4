import BGPWire
import Foundation
import NetTypes
import Testing

/// One row of `testdata/bgp/malformed.tsv`, on one kind of session.
struct MalformedUpdate: Sendable, CustomTestStringConvertible {
    let attribute: String
    let name: String
    let isIBGP: Bool
    let action: String
    let subcode: UInt8?
    let frame: [UInt8]

    var testDescription: String { "\(attribute) \(name), \(isIBGP ? "iBGP" : "eBGP") → \(action)" }

    static let prefix4 = "20 0af401c8"
    static let prefix6 = "80 fd000000000000000000000000000001"

    /// The rows of the table, those for both kinds of session twice.
    static let all: [MalformedUpdate] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../testdata/bgp/malformed.tsv").standardizedFileURL
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.flatMap { line in
            let fields = line.split(separator: "\t").map(String.init)
            return [true, false].compactMap { isIBGP in row(fields, isIBGP: isIBGP) }
        }
    }()

    private static func row(_ fields: [String], isIBGP: Bool) -> MalformedUpdate? {
        guard fields.count == 8, fields[2] == "both" || fields[2] == (isIBGP ? "ibgp" : "ebgp") else { return nil }
        let body =
            sized(fields[5], isIBGP: isIBGP) + sized(fields[6], isIBGP: isIBGP) + bytes(fields[7], isIBGP: isIBGP)
        let length = body.count + 19
        return MalformedUpdate(
            attribute: fields[0], name: fields[1], isIBGP: isIBGP, action: fields[3], subcode: UInt8(fields[4]),
            frame: [UInt8](repeating: 0xff, count: 16) + [UInt8(length >> 8), UInt8(length & 0xff), 2] + body)
    }

    /// A field behind its length, which may be a lie.
    private static func sized(_ field: String, isIBGP: Bool) -> [UInt8] {
        let words = field.split(separator: " ")
        if let lie = words.first, lie.hasPrefix("len:") {
            let rest = words.dropFirst().joined(separator: " ")
            return hex(String(lie.dropFirst(4))) + bytes(rest.isEmpty ? "-" : rest, isIBGP: isIBGP)
        }
        let value = bytes(field, isIBGP: isIBGP)
        return [UInt8(value.count >> 8), UInt8(value.count & 0xff)] + value
    }

    private static func bytes(_ field: String, isIBGP: Bool) -> [UInt8] {
        if field == "-" { return [] }
        return field.split(separator: " ").flatMap { word -> [UInt8] in
            switch word {
            case "P4": return hex(prefix4)
            case "P6": return hex(prefix6)
            default:
                guard word.hasPrefix("good") else { return hex(String(word)) }
                let left = word.split(separator: "-").dropFirst().compactMap { Int($0) }
                let attributes = [
                    (1, "400101 00"), (2, "400206 0201 0000fdf2"), (3, "400304 0a000009"), (5, "400504 00000064"),
                ]
                return attributes.filter { !left.contains($0.0) && ($0.0 != 5 || isIBGP) }.flatMap { hex($0.1) }
            }
        }
    }
}

@Suite("Malformed UPDATEs (RFC 7606)")
struct RevisedErrorHandlingTests {
    @Test("The table speaks of every attribute that is known, of lists, prefixes and unknown attributes")
    func coverage() {
        let spoken = Set(MalformedUpdate.all.map(\.attribute))
        let known = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 23, 32].map(String.init)
        #expect(spoken == Set(known + ["100", "list", "NLRI"]))
        #expect(MalformedUpdate.all.count > 200)
    }

    @Test("Each is handled as its row of the table says", arguments: MalformedUpdate.all)
    func row(_ row: MalformedUpdate) throws {
        let context = row.isIBGP ? ibgp : ebgp
        print("\(row.testDescription)\(row.subcode.map { " (3/\($0))" } ?? "")")
        if row.action == "reset" {
            let error = try sessionError(row.frame, context)
            #expect(error.notification.code == 3)
            #expect(error.notification.subcode == row.subcode)
            return
        }
        let message = try decodeUpdate(row.frame, context)
        let actions: [String: ErrorAction] = [
            "discard": .attributeDiscard, "withdraw": .treatAsWithdraw, "disable": .afiSafiDisable,
        ]
        let expected = actions[row.action].map { [$0] } ?? []
        #expect(message.malformed.map(\.action) == expected)
        #expect(message.malformed.map(\.subcode) == (row.subcode.map { [$0] } ?? []))
        if let type = UInt8(row.attribute), row.action != "accept", !row.name.hasPrefix("beside"),
            row.name != "without ORIGIN"
        {
            #expect(message.malformed.map(\.type) == [type])
        }
        let isWithdrawn = row.action == "withdraw"
        #expect(message.reachable.flatMap(\.prefixes).isEmpty == isWithdrawn)
        #expect(message.unreachable.flatMap(\.prefixes).isEmpty == !isWithdrawn)
        let prefixes = message.reachable.flatMap(\.prefixes) + message.unreachable.flatMap(\.prefixes)
        #expect(prefixes.count == 1)
    }
}
