import ArgumentParser
import LinuxOS
import NetTypes
import NodeStore

/// `apusctl ipam …`
struct IPAMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ipam", abstract: "Shows who has which address of this node, and gives leaked ones back.",
        discussion: """
            All of it is read from the run directory, whether the daemon runs or not.

            EXAMPLE: what is leaked, whose it was, and its end
              apusctl ipam check
              apusctl ipam show --ip 10.244.0.5
              apusctl ipam release 10.244.0.5
            """,
        subcommands: [IPAMShowCommand.self, IPAMCheckCommand.self, IPAMReleaseCommand.self])

    @OptionGroup var daemon: DaemonOptions

    /// Which run directory the options, outermost command first, name.
    static func runDirectory(_ options: DaemonOptions...) -> String {
        options.compactMap(\.runDirectory).last ?? DaemonOptions.defaultRunDirectory
    }

    /// Reads an address from the command line.
    static func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else { throw ValidationError("\"\(text)\" is no IP address.") }
        return address
    }

    /// Runs what reads or changes the store, with its errors for people.
    static func withStore<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch StoreError.system(let error) where error.code == .EACCES || error.code == .EPERM {
            throw CommandFailure(description: "\(error)\nRun apusctl as root.")
        } catch let error as StoreError {
            throw CommandFailure(description: "\(error)")
        }
    }
}
