import IPAMCore
import JSONKit
import LinuxOS
import ModePlugins
import NetTypes
import Resources

/// The node's own address in each tunnel: the first one of its oldest announced block in a pool of that tunnel, which no
/// pod gets.
///
/// The state directory remembers it (`tunnels-NODE.json`), so that it stays the same over boots, in which the order of
/// the blocks is lost.
struct TunnelAddresses: Sendable {
    private let path: String
    /// The addresses.
    private(set) var addresses: [TunnelDevice: IPAddress] = [:]
    /// Those of the record.
    private var remembered: [TunnelDevice: IPAddress] = [:]

    /// Reads the record; one that cannot be read is written anew, since all of it can be chosen again.
    init(stateDirectory: String, node: String) {
        path = "\(stateDirectory)/tunnels-\(node).json"
        guard let bytes = try? Files.readIfPresent(path, limit: 1 << 16),
            let members = (try? JSONText.parse(bytes))?.object?["addresses"]?.object?.members
        else { return }
        for member in members {
            guard let device = TunnelDevice(rawValue: member.name),
                let address = member.value.string.flatMap({ IPAddress($0) }), address.family == device.family
            else { continue }
            remembered[device] = address
        }
        addresses = remembered
    }

    /// Chooses an address for each tunnel that the pools need: the remembered one as long as a block has it, else that
    /// of the oldest block. A block that is announced comes before one that is not: receivers use a tunnel whose inner
    /// address lies in a block that they hear of.
    ///
    /// - Parameters:
    ///   - blocks: the node's blocks, the oldest first.
    ///   - isWhole: whether the pools were read without a refusal: if not, the record stays as it is.
    /// - Throws: when the choice cannot be remembered; it holds all the same.
    mutating func choose(blocks: [IPPrefix], pools: [IPPool], isWhole: Bool = true) throws {
        var chosen: [TunnelDevice: IPAddress] = [:]
        for device in TunnelDevice.allCases {
            let candidates = blocks.compactMap { block -> (address: IPAddress, isAnnounced: Bool)? in
                guard block.family == device.family, !block.isHost, let pool = pools.narrowest(around: block),
                    TunnelDevice.needed(by: pool) == device
                else { return nil }
                return (block.address, !pool.disableBGPExport)
            }
            let announced = candidates.filter(\.isAnnounced)
            let usable = (announced.isEmpty ? candidates : announced).map(\.address)
            chosen[device] = usable.first { $0 == remembered[device] } ?? usable.first
        }
        addresses = chosen
        guard isWhole, chosen != remembered else { return }
        remembered = chosen
        let members = chosen.sorted { $0.key.name < $1.key.name }.map { device, address in
            (device.name, JSONValue.string(address.description))
        }
        let record: JSONValue = ["v": 1, "addresses": .object(JSONObject(members))]
        try Files.replace(path, with: Array(JSONText.serialize(record, pretty: false).utf8))
    }
}
