import LinuxOS
import NetTypes
import TestKit
import Testing

@Suite("A log file")
struct LogFileTests {
    @Test("A full file is put aside, and the oldest of those is dropped")
    func rotation() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("log")
        let rotation = LogFile.Rotation(maximumBytes: 20, olderFiles: 2)
        for number in 1...9 { try LogFile.append(Array("line \(number)..\n".utf8), to: path, rotation) }
        func text(_ name: String) throws -> String {
            String(decoding: try Files.read(name, limit: 100), as: UTF8.self)
        }
        #expect(try text(path) == "line 9..\n")
        #expect(try text("\(path).1") == "line 7..\nline 8..\n")
        #expect(try text("\(path).2") == "line 5..\nline 6..\n")
        #expect(try Files.list(directory.path) == ["log", "log.1", "log.2"])
    }

    @Test("A line longer than a file has one of its own")
    func longLine() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("log")
        let rotation = LogFile.Rotation(maximumBytes: 10, olderFiles: 5)
        let long = [UInt8](repeating: 0x78, count: 50)
        for _ in 0..<3 { try LogFile.append(long, to: path, rotation) }
        #expect(try Files.list(directory.path) == ["log", "log.1", "log.2"])
        #expect(try Files.read(path, limit: 100) == long)
    }
}
