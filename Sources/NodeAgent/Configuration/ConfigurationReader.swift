import LinuxOS
import Resources

/// Reads the resources of a directory (its `*.yaml` and `*.yml`, by name) or of one multi-document file.
struct ConfigurationReader: Sendable {
    /// The directory or the file.
    let path: String

    /// The directory to watch for changes: the path itself, or what holds the file.
    var watchedDirectory: String {
        if (try? FileStatus.of(path)?.isDirectory) ?? false { return path }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The passwords beside the resources.
    var secrets: SecretReader { SecretReader(directory: watchedDirectory) }

    /// Everything that could be read, with all findings. What cannot be read at all is a finding too.
    func read() -> DecodedResources {
        var documents: [Document] = []
        var findings: [Diagnostic] = []
        let files = files(&findings)
        for (file, name) in files ?? [] {
            do throws(Diagnostic) {
                documents += try YAMLDocuments.documents(in: try text(of: file, name: name), file: name)
            } catch {
                findings.append(error)
            }
        }
        var decoded = ResourceDecoder.decode(documents, refusals: findings)
        decoded.isPlaceRead = files != nil
        secrets.complete(&decoded)
        return decoded
    }

    private func text(of file: String, name: String) throws(Diagnostic) -> String {
        do throws(SystemError) {
            let bytes = try Files.readThroughLinks(file, limit: YAMLDocuments.maximalFileBytes)
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            throw Diagnostic(.error, file: name, reason: "cannot be read: \(error.code)")
        }
    }

    /// nil when the place itself cannot be read.
    private func files(_ findings: inout [Diagnostic]) -> [(path: String, name: String)]? {
        do throws(SystemError) {
            guard let status = try FileStatus.of(path) else {
                findings.append(Diagnostic(.error, file: path, reason: "does not exist; --config names it"))
                return nil
            }
            guard status.isDirectory else { return [(path, path)] }
            let names = try Files.list(path).filter { name in
                !name.hasPrefix(".") && (name.hasSuffix(".yaml") || name.hasSuffix(".yml"))
            }
            return names.map { ("\(path)/\($0)", $0) }
        } catch {
            findings.append(Diagnostic(.error, file: path, reason: "cannot be read: \(error.code)"))
            return nil
        }
    }
}
