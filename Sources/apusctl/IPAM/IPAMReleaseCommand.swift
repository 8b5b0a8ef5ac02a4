import ArgumentParser
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore

/// `apusctl ipam release ADDRESS`
struct IPAMReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Gives back an address that nobody has any more.",
        discussion: """
            What `apusctl ipam check` calls leaked: the record goes, with all addresses that it names. Refused, with exit \
            status 1 and the reason, when the address is not allocated, when a call is at work on it, and when a link, a \
            route or a namespace has it: then delete the pod. Books that another IPAM plugin keeps are its own.

            EXAMPLE
              apusctl ipam release 10.244.0.5
            """)

    @ParentCommand var ipam: IPAMCommand
    @ParentCommand var root: ApusCtl
    @Argument(help: "The address.", transform: IPAMCommand.address)
    var address: IPAddress?
    @Option(help: "The address, as calicoctl's users write it.", transform: IPAMCommand.address)
    var ip: IPAddress?
    @Flag(
        help: """
            Release also what a link may have that no record tells of (the record is lost, or the link another plugin's: \
            apus-ipam under ptp or macvlan), if no namespace that can be seen from here has it, and the ADD was a minute \
            ago.
            """)
    var force = false
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if (address == nil) == (ip == nil) { throw ValidationError("Name the one address that is to be released.") }
    }

    func run() throws {
        guard let address = address ?? ip else { return }
        let directory = IPAMCommand.runDirectory(root.daemon, ipam.daemon, daemon)
        let released = try IPAMCommand.withStore {
            let node = try NodeKernel(runDirectory: directory)
            var release = AddressRelease(of: address, on: node, isForced: force)
            return try release.run()
        }
        for one in released { tell(one) }
        let answer: JSONObject = ["released": .array(released.map(Self.json))]
        try output.write(answer) { _ in
            released.map { TextTable.escaped(Self.text($0)) + "\n" }.joined()
        }
    }

    /// The daemon, if there is one, as a DEL does: what goes with a pod beside its records may go.
    private func tell(_ released: AddressRelease.Released) {
        guard let record = released.record else { return }
        let endpoint = Endpoint(
            network: record.key.network, containerID: record.key.containerID, ifName: record.key.ifName,
            addresses: record.addresses, hostLink: record.hostLink, hostLinkIndex: record.hostLinkIndex, mode: "")
        _ = try? DaemonQuestion(root.daemon, ipam.daemon, daemon).ask(.endpointDelete(endpoint))
    }

    private static func text(_ released: AddressRelease.Released) -> String {
        let addresses = released.addresses.map(\.description).joined(separator: ", ")
        guard released.record != nil else { return "released \(addresses), which was \(released.key)'s" }
        // What a killed ADD names may be another's by now, who keeps it.
        let names = addresses.isEmpty ? "" : ", and \(addresses)"
        return "released the record of \(released.key)\(names)"
    }

    private static func json(_ released: AddressRelease.Released) -> JSONValue {
        [
            "network": .string(released.key.network), "containerID": .string(released.key.containerID),
            "ifName": .string(released.key.ifName), "record": .bool(released.record != nil),
            "addresses": .array(released.addresses.map { .string($0.description) }),
        ]
    }
}
