import JSONKit
import LinuxOS
import NetTypes

/// The blocks that this node took by itself, as the state directory remembers them over boots: `claims.json`.
struct ClaimRecord: Sendable {
    /// The file.
    let path: String
    /// The blocks, the oldest first.
    private(set) var blocks: [IPPrefix] = []
    /// Why the record could not be written the last time; nil when it could. While it cannot no block is promised.
    private(set) var failure: SystemError?
    /// What is wrong with the record that was found, and what is done about it; nil for a sound one.
    private(set) var remark: String?

    /// Reads the record; a file that cannot be read is left alone and said. An empty one is what a power cut leaves of a
    /// file that was being written, and counts as none: no pod of before that boot is left.
    ///
    /// - Throws: `NodeAgentError.unreadableClaims`, `unreachableClaims`, `unfitStateDirectory`.
    init(stateDirectory: String, node: String) throws(NodeAgentError) {
        path = "\(stateDirectory)/claims-\(node).json"
        do throws(SystemError) {
            try Files.createDirectory(stateDirectory)
        } catch {
            throw .unfitStateDirectory(path: stateDirectory, reason: "\(error)")
        }
        do {
            guard let bytes = try Files.readIfPresent(path, limit: 1 << 20) else { return }
            guard !bytes.isEmpty else {
                remark = "\(path) is empty, as after a power cut: the node remembers no block that it took by itself"
                return
            }
            let record = try JSONText.parse(bytes)
            guard record.object?["v"]?.int == 1, let list = record.object?["blocks"]?.array else {
                throw NodeAgentError.unreadableClaims(path: path, reason: "not a version 1 claims record")
            }
            for element in list {
                guard let block = element.string.flatMap({ IPPrefix($0) }) else {
                    throw NodeAgentError.unreadableClaims(path: path, reason: "blocks holds something not a prefix")
                }
                blocks.append(block)
            }
        } catch let error as NodeAgentError {
            throw error
        } catch let error as SystemError {
            throw .unreachableClaims(path: path, reason: "\(error)")
        } catch {
            throw .unreadableClaims(path: path, reason: "\(error)")
        }
    }

    /// Remembers one more block; it is not to be used before this has returned.
    mutating func add(_ block: IPPrefix) throws(SystemError) {
        try write(blocks + [block])
    }

    /// Forgets blocks that are somebody else's to give.
    mutating func remove(_ gone: [IPPrefix]) throws(SystemError) { try write(blocks.filter { !gone.contains($0) }) }

    /// Looks whether the record can be written again, if it could not.
    ///
    /// - Returns: whether it can be now, and could not before.
    mutating func recover() -> Bool {
        guard failure != nil else { return false }
        try? write(blocks)
        return failure == nil
    }

    private mutating func write(_ all: [IPPrefix]) throws(SystemError) {
        let record: JSONValue = ["v": 1, "blocks": .array(all.map { .string($0.description) })]
        do throws(SystemError) {
            try Files.replace(path, with: Array(JSONText.serialize(record, pretty: false).utf8), outlivesPowerCut: true)
        } catch {
            failure = error
            throw error
        }
        failure = nil
        blocks = all
    }
}
