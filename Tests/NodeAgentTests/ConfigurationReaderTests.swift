import LinuxOS
import NetTypes
import Resources
import TestKit
import Testing

@testable import NodeAgent

@Suite("Files of resources")
struct ConfigurationReaderTests {
    private static let pool =
        "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: p\nspec:\n  cidr: 10.9.0.0/16\n"
    private static let json =
        #"{"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"p"},"spec":{"cidr":"10.9.0.0/16"}}"#

    private func read(_ name: String, _ bytes: [UInt8]) throws -> DecodedResources {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.file(name), with: bytes)
        return ConfigurationReader(path: directory.file("")).read()
    }

    @Test(
        "a resource is read in whatever form an editor or a program writes it",
        arguments: [
            ("p.yaml", pool), ("p.yml", pool), ("p.json", json), ("p.yaml", json),
            ("p.yaml", pool.replacing("\n", with: "\r\n")), ("p.yaml", "\u{FEFF}" + pool),
            ("p.yaml", "\u{FEFF}---\n" + pool + "...\n"),
        ])
    func forms(name: String, text: String) throws {
        let decoded = try read(name, Array(text.utf8))
        #expect(decoded.diagnostics == [])
        #expect(decoded.configuration.pools.map(\.cidr.description) == ["10.9.0.0/16"])
    }

    @Test("another name is passed over, and said once to be", arguments: ["p.YAML", "p.yaml.bak", "README"])
    func otherNames(_ name: String) throws {
        let decoded = try read(name, Array(Self.pool.utf8))
        #expect(
            decoded.diagnostics.map { "\($0.severity): \($0)" } == [
                "note: \(name): not read: its name ends in none of .yaml, .yml, .json"
            ])
        #expect(decoded.isWhole && decoded.configuration.pools.isEmpty)
    }

    @Test("an editor's hidden file and a directory are passed over in silence")
    func silence() throws {
        let directory = try TemporaryDirectory()
        try Files.createDirectory(directory.file("secrets"))
        try Files.replace(directory.file(".p.yaml.swp"), with: [0])
        #expect(ConfigurationReader(path: directory.file("")).read().diagnostics == [])
    }

    @Test("text that is not UTF-8, and a file without end, are refused by what they are")
    func refused() throws {
        var utf16: [UInt8] = [0xff, 0xfe]
        for unit in Self.pool.utf16 { utf16 += [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)] }
        #expect(
            try read("p.yaml", utf16).diagnostics.map(\.description) == ["p.yaml: it is UTF-16; write it as UTF-8"])
        let large = [UInt8](repeating: 0x23, count: YAMLDocuments.maximalFileBytes + 1)
        #expect(try read("p.yaml", large).diagnostics.map(\.description) == ["p.yaml: larger than 8388608 bytes"])
        let deep = try read("p.yaml", [UInt8](repeating: 0x5b, count: 5000))
        #expect(
            deep.diagnostics.map(\.reason) == [
                "no YAML at column 1: while parsing, Maximum nesting level reached"
            ])
    }
}
