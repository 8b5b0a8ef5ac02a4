import Glibc
import LinuxOS
import NetTypes
import TestKit
import Testing

@Suite("Files")
struct FilesTests {
    let directory: String
    private let owner: DirectoryOwner

    init() throws {
        owner = try DirectoryOwner()
        directory = owner.directory.path
    }

    @Test("A replaced file has the new content, the mode asked for, and leaves no temporary file")
    func replaces() throws {
        let path = "\(directory)/node.json"
        try Files.replace(path, with: Array("old".utf8))
        try Files.replace(path, with: Array("new".utf8), mode: 0o640)
        #expect(try Files.read(path, limit: 100) == Array("new".utf8))
        #expect(try FileStatus.of(path)?.permissions == 0o640)
        #expect(try Files.list(directory) == ["node.json"])
    }

    @Test("A file beyond the limit is refused, one at the limit is read")
    func limit() throws {
        let path = "\(directory)/f"
        try Files.replace(path, with: [UInt8](repeating: 7, count: 100_000))
        #expect(try Files.read(path, limit: 100_000).count == 100_000)
        let error = #expect(throws: SystemError.self) { try Files.read(path, limit: 99_999) }
        #expect(error?.code == .EFBIG)
    }

    @Test(
        "Of a file that nobody ends is read what comes in time, and no longer than it takes to have enough",
        arguments: [("", 200), ("{", 200), ("{}", 20), ("{}{}", 200)])
    func endless(text: String, milliseconds: Int) throws {
        let path = "\(directory)/fifo"
        try Command.run(["mkfifo", path])
        let file = try FileDescriptor.open(path, O_RDWR)
        try file.writeAll(Array(text.utf8), name: path)
        let start = BootClock.now()
        let content = try file.readAll(
            limit: 100, name: path, until: start + .milliseconds(200), pause: .milliseconds(20)
        ) { $0 == Array("{}".utf8) }
        let time = Duration.nanoseconds(BootClock.now().nanoseconds - start.nanoseconds)
        #expect(content == Array(text.utf8))
        #expect(time >= .milliseconds(milliseconds))
        if milliseconds < 200 { #expect(time < .milliseconds(200)) }
        try file.writeAll([UInt8](repeating: 7, count: 101), name: path)
        let error = #expect(throws: SystemError.self) {
            try file.readAll(limit: 100, name: path, until: BootClock.now(), pause: .zero) { _ in false }
        }
        #expect(error?.code == .EFBIG)
    }

    @Test("Of a file that ends all is read, whatever is enough")
    func ending() throws {
        let path = "\(directory)/f"
        let content = [UInt8](repeating: 7, count: 10_000)
        try Files.replace(path, with: content)
        let file = try FileDescriptor.open(path, O_RDONLY)
        let deadline = BootClock.now() + .seconds(10)
        #expect(
            try file.readAll(limit: 10_000, name: path, until: deadline, pause: .zero) { _ in true } == content)
    }

    @Test("A FIFO, a directory and a device are refused at once")
    func specialFiles() throws {
        let path = "\(directory)/fifo"
        try Command.run(["mkfifo", path])
        for (file, code) in [(path, SystemErrorCode.EINVAL), ("/dev/zero", .EINVAL), (directory, .EISDIR)] {
            #expect(#expect(throws: SystemError.self) { try Files.read(file, limit: 1) }?.code == code)
            #expect(#expect(throws: SystemError.self) { try Files.readThroughLinks(file, limit: 1) }?.code == code)
        }
        #expect(#expect(throws: SystemError.self) { _ = try NetNS.open(path) }?.code == .EINVAL)
    }

    @Test("A missing file is nil, and its error names operation, path and reason")
    func missing() throws {
        let path = "\(directory)/none"
        #expect(try Files.readIfPresent(path, limit: 1) == nil)
        #expect(try FileStatus.of(path) == nil)
        #expect(try !Files.remove(path))
        let error = #expect(throws: SystemError.self) { try Files.read(path, limit: 1) }
        #expect(error?.description == "open \(path): No such file or directory")
        #expect(error?.code.name == "ENOENT")
    }

    @Test("A symbolic link is not followed")
    func symbolicLink() throws {
        let path = "\(directory)/link"
        try Files.replace("\(directory)/target", with: [1])
        try Command.run(["ln", "-s", "target", path])
        let error = #expect(throws: SystemError.self) { try Files.read(path, limit: 10) }
        #expect(error?.code == .ELOOP)
    }

    @Test("Directories are made with those above them, and again without complaint; a file in the way is told")
    func directories() throws {
        try Files.createDirectory("\(directory)/a/b/c", mode: 0o700)
        try Files.createDirectory("\(directory)/a/b/c", mode: 0o755)
        #expect(try FileStatus.of("\(directory)/a/b/c")?.permissions == 0o700)
        try Files.append("\(directory)/file", [1])
        try Files.append("\(directory)/file", [2])
        #expect(try Files.read("\(directory)/file", limit: 10) == [1, 2])
        let error = #expect(throws: SystemError.self) { try Files.createDirectory("\(directory)/file") }
        #expect(error?.code == .ENOTDIR)
        let full = #expect(throws: SystemError.self) { try Files.removeDirectory("\(directory)/a") }
        #expect(full?.code == .ENOTEMPTY)
    }

    @Test("A lock that is held is not given twice, and is free again once its owner ends")
    func lock() throws {
        let path = "\(directory)/lock"
        do {
            let held = try FileLock.lock(path, deadline: BootClock.now() + .seconds(1))
            #expect(try held.isStill(at: path))
            let second = try FileLock.tryLock(path)
            let isTaken = second == nil
            #expect(isTaken)
            let start = BootClock.now()
            let error = #expect(throws: SystemError.self) {
                _ = try FileLock.lock(path, deadline: start + .milliseconds(30))
            }
            #expect(error?.code == .ETIMEDOUT)
            #expect(BootClock.now() - start >= .milliseconds(30))
            try Files.replace(path, with: [])
            #expect(try !held.isStill(at: path))
        }
        let third = try FileLock.tryLock(path)
        let isFree = third != nil
        #expect(isFree)
    }
}

/// Keeps the suite's directory until the test's end.
private final class DirectoryOwner: Sendable {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }
}
