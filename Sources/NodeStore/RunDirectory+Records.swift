import IPAMCore
import JSONKit
import LinuxOS
import NetTypes

/// What to do about a file that cannot be read.
enum Remedy {
    static let node = "restart apusd, which writes it anew"
    static let block = "move it away: it is made again from the attachments"
    static let attachment = "move it away and delete the pod again: its block leads to the address"
}

extension RunDirectory {
    /// The largest record: a block of 4096 addresses with long container ids fits several times over.
    static let maximumRecord = 8 << 20

    /// Reads a file's JSON; nil when there is no such file.
    func readRecord(_ file: String, remedy: String) throws(StoreError) -> JSONValue? {
        guard let bytes = try octets(of: file, remedy: remedy) else { return nil }
        return try parse(bytes, file: file, remedy: remedy)
    }

    /// Reads a file; nil when there is no such file. What is no plain file, or larger than any record, is none of ours.
    func octets(of file: String, remedy: String) throws(StoreError) -> [UInt8]? {
        do throws(SystemError) {
            return try Files.readIfPresent(file, limit: Self.maximumRecord)
        } catch {
            if error.code == .ENOTDIR { try checkIsDirectory() }
            guard [.EISDIR, .EINVAL, .ELOOP, .EFBIG].contains(error.code) else { throw .system(error) }
            throw .corrupt(path: file, reason: "no record: \(error.code)", remedy: remedy)
        }
    }

    func parse(_ bytes: [UInt8], file: String, remedy: String) throws(StoreError) -> JSONValue {
        do throws(JSONError) {
            return try JSONText.parse(bytes)
        } catch {
            throw .corrupt(path: file, reason: "no JSON: \(error)", remedy: remedy)
        }
    }

    /// Turns a record's error into one that names the file.
    func decode<Record>(
        _ file: String, remedy: String, _ body: () throws(RecordError) -> Record,
    ) throws(StoreError) -> Record {
        do throws(RecordError) {
            return try body()
        } catch {
            throw .corrupt(path: file, reason: error.description, remedy: remedy)
        }
    }

    func writeRecord(_ json: JSONValue, to file: String) throws(StoreError) {
        try system { () throws(SystemError) in try Files.replace(file, with: Self.text(json)) }
    }

    static func text(_ json: JSONValue) -> [UInt8] { Array((JSONText.serialize(json) + "\n").utf8) }

    /// The names in one of the directories; none when it does not exist.
    func names(in directory: String) throws(StoreError) -> [String] {
        do throws(SystemError) {
            return try Files.list(directory)
        } catch {
            guard error.code == .ENOENT else { throw .system(error) }
            return []
        }
    }
}

/// Runs a call of the system with its error as a `StoreError`.
func system<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(StoreError) -> Value {
    do throws(SystemError) {
        return try body()
    } catch {
        throw .system(error)
    }
}
