import LinuxOS
import Resources

/// Reads the resources of a directory (its `*.yaml`, `*.yml` and `*.json`, by name) or of one multi-document file.
struct ConfigurationReader: Sendable {
    /// The directory or the file.
    let path: String

    /// The directory to watch for changes: the path itself, or what holds the file.
    var watchedDirectory: String {
        if (try? FileStatus.of(path)?.isDirectory) ?? false { return path }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The directories of the files that the resources' symbolic links lead to: a change there is none in the watched
    /// one.
    var linkedDirectories: Set<String> {
        var findings: [Diagnostic] = []
        var directories: Set<String> = []
        for (file, _) in files(&findings) ?? [] where Files.target(ofLink: file) != nil {
            guard let target = Files.resolved(file), let slash = target.lastIndex(of: "/") else { continue }
            directories.insert(slash == target.startIndex ? "/" : String(target[..<slash]))
        }
        return directories
    }

    /// The passwords beside the resources.
    var secrets: SecretReader { SecretReader(directory: watchedDirectory) }

    /// Everything that could be read, with all findings. What cannot be read at all is a finding too.
    func read() -> DecodedResources {
        var last: LastReading?
        return read(after: &last)
    }

    /// The same. Files that hold what they held the last time are not decoded again; passwords are always read.
    func read(after last: inout LastReading?) -> DecodedResources {
        var findings: [Diagnostic] = []
        let names = files(&findings)
        let files = (names ?? []).map { LastReading.File(name: $0.name, content: content(of: $0.path, name: $0.name)) }
        var decoded: DecodedResources
        if let last, last.files == files, last.findings == findings {
            decoded = last.decoded
        } else {
            decoded = decode(files, findings)
            decoded.isPlaceRead = names != nil
            last = LastReading(files: files, findings: findings, decoded: decoded)
        }
        secrets.complete(&decoded)
        return decoded
    }

    private func decode(_ files: [LastReading.File], _ findings: [Diagnostic]) -> DecodedResources {
        var documents: [Document] = []
        var findings = findings
        for file in files {
            do throws(Diagnostic) {
                let text = try text(of: file)
                // A file alone may be empty: nothing is configured then.
                if file.name != path, text.allSatisfy(\.isWhitespace) { throw .emptyFile(file.name) }
                documents += try YAMLDocuments.documents(in: text, file: file.name)
            } catch {
                findings.append(error)
            }
        }
        var decoded = ResourceDecoder.decode(documents, refusals: findings)
        PatternCheck.complete(&decoded, documents)
        return decoded
    }

    private func content(of file: String, name: String) -> Result<[UInt8], Diagnostic> {
        do throws(SystemError) {
            return .success(try Files.readThroughLinks(file, limit: YAMLDocuments.maximalFileBytes))
        } catch {
            let reason =
                error.code == .EFBIG
                ? "larger than \(YAMLDocuments.maximalFileBytes) bytes" : "cannot be read: \(error.readingProblem)"
            return .failure(Diagnostic(.error, file: name, reason: reason))
        }
    }

    private func text(of file: LastReading.File) throws(Diagnostic) -> String {
        let bytes = try file.content.get()
        guard !bytes.starts(with: [0xff, 0xfe]), !bytes.starts(with: [0xfe, 0xff]) else {
            throw Diagnostic(.error, file: file.name, reason: "it is UTF-16; write it as UTF-8")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let endings = [".yaml", ".yml", ".json"]

    /// Every JSON text is YAML too.
    private static func isRead(_ name: String) -> Bool { endings.contains { name.hasSuffix($0) } }

    /// Whether a file of this name in the watched directory is one of those that are read.
    func reads(_ name: String) -> Bool {
        if watchedDirectory == path { return Self.isRead(name) && !name.hasPrefix(".") }
        return path == name || path.hasSuffix("/\(name)")
    }

    /// What is said of a file that is passed over: its name may not be what was meant.
    private func unread(_ name: String) -> Diagnostic? {
        guard let status = try? FileStatus.of("\(path)/\(name)"), !status.isDirectory else { return nil }
        return Diagnostic(
            .note, file: name, reason: "not read: its name ends in none of \(Self.endings.joined(separator: ", "))")
    }

    /// nil when the place itself cannot be read.
    private func files(_ findings: inout [Diagnostic]) -> [(path: String, name: String)]? {
        do throws(SystemError) {
            guard let status = try FileStatus.of(path) else {
                findings.append(Diagnostic(.error, file: path, reason: "does not exist; --config names it"))
                return nil
            }
            guard status.isDirectory else { return [(path, path)] }
            let names = try Files.list(path).filter { !$0.hasPrefix(".") }
            findings += names.filter { !Self.isRead($0) }.compactMap(unread)
            return names.filter(Self.isRead).map { ("\(path)/\($0)", $0) }
        } catch {
            findings.append(Diagnostic(.error, file: path, reason: "cannot be read: \(error.code)"))
            return nil
        }
    }
}

/// What was read last, and what it was decoded to without the passwords.
struct LastReading: Sendable {
    /// What a file held, or why it was not read.
    fileprivate struct File: Sendable, Equatable {
        let name: String
        let content: Result<[UInt8], Diagnostic>
    }

    fileprivate let files: [File]
    fileprivate let findings: [Diagnostic]
    fileprivate let decoded: DecodedResources
}

extension Diagnostic {
    /// The refusal of a file that says nothing at all, not even that this is meant: what writes a file in place empties
    /// it first.
    fileprivate static func emptyFile(_ file: String) -> Diagnostic {
        Diagnostic(
            .error, file: file,
            reason: "it is empty, as a file that is being written is; if it is meant to say nothing, remove it or "
                + "write a comment")
    }
}

extension SystemError {
    /// Why a file was not read, in words.
    var readingProblem: String {
        code == .EINVAL || code == .ENXIO ? "it is no plain file but a FIFO, a device or a socket" : "\(code)"
    }
}
