import ArgumentParser
import LinuxOS
import NetTypes
import NodeLink
import NodeStore

/// Which daemon is meant; before or after the subcommand.
struct DaemonOptions: ParsableArguments {
    /// Where the daemon's run directory is unless said otherwise.
    static let defaultRunDirectory = "/run/apus"

    @Option(
        name: .customLong("run-dir"),
        help: ArgumentHelp("The daemon's run directory. (default: \(defaultRunDirectory))", valueName: "dir"))
    var runDirectory: String?

    func validate() throws {
        guard let runDirectory, !RunDirectory.hasRoomForSocket(runDirectory) else { return }
        throw ValidationError(
            "'\(runDirectory)' is no run directory: at most 96 octets, so that the socket in it can be named")
    }
}

/// A failure as the person at the terminal reads it: what went wrong and what to do.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}

extension CommandFailure {
    /// The daemon was there and would not.
    init(_ refusal: RemoteError) {
        self.init(description: "apusd refused: \(refusal)")
    }
}

/// A question to the daemon of a run directory.
struct DaemonQuestion {
    let socketPath: String

    /// The daemon that the options, outermost command first, name; the innermost that names one counts.
    init(_ options: DaemonOptions...) {
        let directory = options.compactMap(\.runDirectory).last ?? DaemonOptions.defaultRunDirectory
        socketPath = RunDirectory.socketPath(in: directory)
    }

    /// Reads a whole table, whatever its size.
    ///
    /// - Parameter take: is handed the rows, page by page.
    func table(
        _ table: PagedTable, _ take: ([JSONValue]) throws(NodeLinkError) -> Void,
    ) throws(CommandFailure) {
        var next: Int? = 0
        var refusal: RemoteError?
        do throws(NodeLinkError) {
            var client = try NodeLinkClient(path: socketPath, hello: try hello())
            while let from = next {
                switch try client.call(.page(table, from: from), timeout: .seconds(30)) {
                case .failure(let reason): (refusal, next) = (reason, nil)
                case .success(let members):
                    let page = try PageAnswer(members)
                    try take(page.items)
                    next = page.next
                }
            }
        } catch {
            throw failure(error)
        }
        if let refusal { throw CommandFailure(refusal) }
    }

    /// All rows of a kind.
    func rows<Row: TableRow>(_ type: Row.Type = Row.self) throws(CommandFailure) -> [Row] {
        var rows: [Row] = []
        try table(.list(Row.kind)) { items throws(NodeLinkError) in
            for item in items { rows.append(try Row(json: item)) }
        }
        return rows
    }

    /// All rows of a table of the speaker's.
    func rows<Row: BGPRow>(of view: BGPView) throws(CommandFailure) -> [Row] {
        var rows: [Row] = []
        try table(.bgp(view)) { items throws(NodeLinkError) in
            for item in items { rows.append(try Row(json: item)) }
        }
        return rows
    }

    /// How the node is, with each of its peers: those that the answer had no room for are read in pages.
    func status() throws(CommandFailure) -> JSONObject {
        var members = try ask(.status)
        let status: StatusAnswer
        do throws(NodeLinkError) {
            status = try StatusAnswer(members)
        } catch {
            throw failure(error)
        }
        guard status.peers.count < status.peerCounts.configured else { return members }
        var peers: [JSONValue] = []
        try table(.bgp(.states)) { peers += $0 }
        members["peers"] = .array(peers)
        return members
    }

    /// Asks, and answers the members of the daemon's `ok`.
    func ask(_ operation: Request.Operation) throws(CommandFailure) -> JSONObject {
        let result: Result<JSONObject, RemoteError>
        do throws(NodeLinkError) {
            var client = try NodeLinkClient(path: socketPath, hello: try hello())
            result = try client.call(operation)
        } catch {
            throw failure(error)
        }
        switch result {
        case .success(let members): return members
        case .failure(let refusal): throw CommandFailure(refusal)
        }
    }

    private func hello() throws(NodeLinkError) -> Hello {
        do throws(SystemError) {
            return Hello(node: "", bootID: try BootID.current(), netnsInode: try NetNS.current().inode)
        } catch {
            throw .system(error)
        }
    }

    private func failure(_ error: NodeLinkError) -> CommandFailure {
        let remedy: String
        switch error {
        case .absent(_, let cause) where cause.code == .EACCES: remedy = "Run apusctl as root."
        case .absent:
            remedy =
                "Apus process is not running. Start it (systemctl start apusd), "
                + "or name its run directory with --run-dir."
        case .system(let cause) where cause.code == .EACCES || cause.code == .EPERM: remedy = "Run apusctl as root."
        case .timeout, .closed: remedy = "See the log of apusd (journalctl -u apusd)."
        case .refused: remedy = "Run apusctl in the network namespace of apusd, as it was started."
        case .malformed: remedy = "Are apusctl (\(ProgramVersion.current)) and apusd of one version?"
        case .system(let cause) where cause.code == .ENOTDIR:
            remedy = "That is no run directory. Name that of apusd with --run-dir."
        case .system: remedy = "Nothing was asked."
        }
        return CommandFailure(description: "\(error)\n\(remedy)")
    }
}
