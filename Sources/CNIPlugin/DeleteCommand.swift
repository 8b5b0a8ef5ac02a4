import CNISpec
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import PodPlan

/// DEL: whatever of this key is still there goes. What is gone already is done; what is another's is left alone.
struct DeleteCommand {
    private let call: PluginCall
    private let desk: AttachmentDesk

    init(_ call: PluginCall) {
        self.call = call
        desk = AttachmentDesk(call)
    }

    /// Detaches the container: link, address, record.
    ///
    /// Neither the container's namespace nor the daemon nor node.json is needed: the link is found by its host end.
    func run() throws {
        switch try desk.find() {
        case .none:
            try deleteLinks(recorded: nil)
            try desk.releaseStray()
        case .some(let file): try detach(file)
        }
    }

    /// Detaches what the record says, and removes the record last.
    func detach(_ file: consuming AttachmentFile) throws {
        var file = file
        try file.update { $0.state = .deleting }
        let attachment = file.attachment
        try deleteLinks(recorded: attachment.hostLink)
        try desk.release(file)
        tellDaemon(attachment)
        let addresses = attachment.addresses.map(\.description).joined(separator: ", ")
        call.log.write(.info, "\(call.environment.command.rawValue) \(call.key): \(addresses)")
    }

    /// Gives the addresses of an IPAM plugin's key back.
    func releaseAddresses() throws {
        switch try desk.find() {
        case .none: try desk.releaseStray()
        case .some(var file):
            try file.update { $0.state = .deleting }
            try desk.release(file)
        }
    }

    /// The record names the link; where it is lost, the key does.
    private func deleteLinks(recorded: String?) throws {
        guard let alias = LinkAlias(call.key) else { return }
        let arguments = call.environment.arguments
        var names = [
            HostLinkName.name(for: call.key, podNamespace: arguments.podNamespace, podName: arguments.podName),
            HostLinkName.name(for: call.key, podNamespace: nil, podName: nil),
        ]
        if let recorded, !recorded.isEmpty { names.insert(recorded, at: 0) }
        var links = try HostLinks()
        var tried: Set<String> = []
        for name in names where tried.insert(name).inserted {
            try links.delete(name, of: alias, isRecorded: name == recorded)
        }
    }

    private func tellDaemon(_ attachment: Attachment) {
        let endpoint = Endpoint(
            network: call.key.network, containerID: call.key.containerID, ifName: call.key.ifName,
            addresses: attachment.addresses, hostLink: attachment.hostLink, hostLinkIndex: attachment.hostLinkIndex,
            mode: call.config.mode ?? "")
        do {
            try DaemonLine(call.store).withdraw(endpoint)
        } catch {
            call.log.write(.debug, "DEL \(call.key): apusd was not told: \(error)")
        }
    }
}
