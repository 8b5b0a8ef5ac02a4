import LinuxOS
import NetTypes
import TestKit
import Testing

@testable import NodeAgent

@Suite("When changed files are read")
struct ReadingPaceTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000)
    private static func at(_ milliseconds: Int) -> MonotonicTime { start + .milliseconds(milliseconds) }

    /// What a watch tells of what `body` does to the files of a directory.
    private static func events(
        _ directory: borrowing TemporaryDirectory, _ body: () throws -> Void,
    ) throws -> [DirectoryWatch.Event] {
        let watch = try DirectoryWatch(directory.path)
        try body()
        guard case .changed(let events) = try watch.wait(or: try WakeUp(), until: BootClock.now() + .seconds(5)) else {
            return []
        }
        return events
    }

    @Test("files are read when they have been quiet, or after a second of changes")
    func quiet() {
        var pace = ReadingPace(from: Self.start)
        #expect(pace.due == Self.at(50))
        for milliseconds in stride(from: 40, to: 1200, by: 40) { pace.take([], at: Self.at(milliseconds)) }
        #expect(pace.due == Self.at(1000))
    }

    @Test("a file that is written and not closed yet holds the reading back; closed, replaced or removed it does not")
    func writing() throws {
        let directory = try TemporaryDirectory()
        let (file, other) = (directory.file("pools.yaml"), directory.file("peers.yaml"))
        try Files.replace(file, with: [1])
        try Files.replace(other, with: [1])
        // The size of an open file is changed as the shell does that opens it for another's output.
        let open = try Self.events(directory) { try Command.run(["truncate", "-s", "0", file]) }
        let written = try #require(open.filter(\.isWritten).first)
        #expect(open.last?.isDone == true && open.last?.place == written.place)
        #expect(written.place.name == "pools.yaml")

        var pace = ReadingPace(from: Self.start)
        pace.take([written], at: Self.at(10))
        #expect(pace.isWriting && pace.due == Self.at(10_000))
        let others = try Self.events(directory) { try Command.run(["truncate", "-s", "9", other]) }
        pace.take(others, at: Self.at(20))
        #expect(pace.due == Self.at(10_000))
        pace.take(open, at: Self.at(30))
        #expect(!pace.isWriting && pace.due == Self.at(80))
        // Long after the first change it is read at once.
        pace.take([written], at: Self.at(40))
        pace.take(open, at: Self.at(5000))
        #expect(pace.due < Self.at(5000))
    }

    @Test("what replaces a file, or removes it, is no writing", arguments: [true, false])
    func replacing(isRemoved: Bool) throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("pools.yaml")
        try Files.replace(file, with: [1])
        let open = try Self.events(directory) { try Command.run(["truncate", "-s", "0", file]) }
        let after = try Self.events(directory) {
            if isRemoved { _ = try Files.remove(file) } else { try Files.replace(file, with: [2]) }
        }
        var pace = ReadingPace(from: Self.start)
        pace.take(open.filter(\.isWritten), at: Self.start)
        #expect(pace.isWriting)
        // Each watch here has one directory, of number 1.
        pace.take(after, at: Self.start)
        #expect(!pace.isWriting)
    }
}
