import ArgumentParser
import CommandKit
import NetTypes

/// `apusctl trace SRC DST`
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Follows a packet from pod to pod through the kernel's live state.",
        discussion: """
            At each node: the link it comes in by, the route, the device, the encapsulation with its outer address, and \
            the MTU. Ends with exit status 1 where the packet would be lost, and says why.
            """)

    @ParentCommand var root: ApusCtl
    @Argument(help: "The address of the pod that sends.", transform: Self.address)
    var source: IPAddress
    @Argument(help: "The address of the pod that is to receive.", transform: Self.address)
    var destination: IPAddress
    @Option(
        help: ArgumentHelp(
            "The run directory of another node on this machine; may be repeated.", valueName: "dir"))
    var also: [String] = []
    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let own = [root.daemon, daemon].compactMap(\.runDirectory).last ?? DaemonOptions.defaultRunDirectory
        let nodes = try ([own] + also).map { try NodeKernel(runDirectory: $0) }
        var trace = PathTrace(from: source, to: destination, over: nodes)
        let outcome = try trace.walk()
        let end =
            switch outcome {
            case .arrives: "arrives; the largest packet on the way has \(trace.mtuBytes) octets"
            case .leaves(let reason): "goes on \(reason)"
            case .lost(let reason): "lost \(reason)"
            }
        try StandardOutput.write((trace.lines + [end]).map { $0 + "\n" }.joined())
        if case .lost = outcome { throw ExitCode.failure }
    }

    private static func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else { throw ValidationError("\"\(text)\" is no IP address.") }
        return address
    }
}
