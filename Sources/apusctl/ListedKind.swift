import CommandKit
import NetTypes
import NodeLink

/// What `get` lists, in the words that calicoctl's users know.
enum ListedKind: CaseIterable {
    case nodes
    case ippools
    case blocks
    case routes
    case bgpPeers
    case bgpFilters
    case bgpConfigurations
    case felixConfigurations
    case ipReservations
    case blockAffinities

    /// A cell of a resource: its `spec` has it under the first of the keys that is there.
    struct Column {
        let name: String
        let keys: [String]

        init(_ name: String, _ keys: String...) {
            self.name = name
            self.keys = keys
        }

        func cell(of row: ResourceRow) -> String {
            let spec = row.document?.object?["spec"]?.object
            return keys.lazy.compactMap { spec?[$0] }.first.map(Self.text) ?? ""
        }

        private static func text(_ value: JSONValue) -> String {
            switch value {
            case .null, .double: ""
            case .bool(let truth): String(truth)
            case .int(let number): String(number)
            case .string(let text): text
            case .array(let elements):
                elements.contains { $0.object != nil }
                    ? "\(elements.count) rules" : elements.map(text).joined(separator: ",")
            case .object: "yes"
            }
        }
    }

    /// The kind of this name, in the plural, the singular or short.
    init?(_ word: String) {
        let word = word.lowercased()
        guard let kind = Self.allCases.first(where: { $0.words.contains(word) }) else { return nil }
        self = kind
    }

    /// All names, for people.
    static var names: String {
        allCases.map { kind in
            let others = kind.words.dropFirst().joined(separator: ", ")
            return "\(kind.word) (\(others))"
        }.joined(separator: ", ")
    }

    /// What to write in place of a word that is no kind.
    static func advice(for word: String) -> String {
        let meant = NearestWord.of(word, among: allCases.flatMap(\.words))
        return meant.map { "; did you mean \($0)?" } ?? "."
    }

    /// Its name.
    var word: String { words[0] }

    private var words: [String] {
        switch self {
        case .nodes: ["nodes", "node", "no"]
        case .ippools: ["ippools", "ippool", "ipp"]
        case .blocks: ["blocks", "block"]
        case .routes: ["routes", "route"]
        case .bgpPeers: ["bgppeers", "bgppeer", "bgpp"]
        case .bgpFilters: ["bgpfilters", "bgpfilter"]
        case .bgpConfigurations: ["bgpconfigurations", "bgpconfiguration", "bgpconfig", "bgpconfigs"]
        case .felixConfigurations: ["felixconfigurations", "felixconfiguration", "felixconfig", "felixconfigs"]
        case .ipReservations: ["ipreservations", "ipreservation"]
        case .blockAffinities: ["blockaffinities", "blockaffinity"]
        }
    }

    /// The daemon's own table; nil where there are the resources alone.
    var table: ListKind? {
        switch self {
        case .nodes: .nodes
        case .ippools: .ippools
        case .blocks: .blocks
        case .routes: .routes
        default: nil
        }
    }

    /// The kind of the resources; nil for what is none.
    var resource: String? {
        switch self {
        case .blocks, .routes: nil
        case .nodes: "Node"
        case .ippools: "IPPool"
        case .bgpPeers: "BGPPeer"
        case .bgpFilters: "BGPFilter"
        case .bgpConfigurations: "BGPConfiguration"
        case .felixConfigurations: "FelixConfiguration"
        case .ipReservations: "IPReservation"
        case .blockAffinities: "BlockAffinity"
        }
    }

    /// What of a resource is in the table.
    var columns: [Column] {
        switch self {
        case .nodes, .ippools, .blocks, .routes: []
        case .bgpPeers:
            [
                Column("PEER", "peerIP", "peerSelector"), Column("NODE", "node", "nodeSelector"),
                Column("ASN", "asNumber"), Column("FILTERS", "filters"),
            ]
        case .bgpFilters:
            [
                Column("IMPORT V4", "importV4"), Column("EXPORT V4", "exportV4"), Column("IMPORT V6", "importV6"),
                Column("EXPORT V6", "exportV6"),
            ]
        case .bgpConfigurations:
            [Column("ASN", "asNumber"), Column("MESH", "nodeToNodeMeshEnabled"), Column("PORT", "listenPort")]
        case .felixConfigurations: [Column("VNI", "vxlanVNI"), Column("PORT", "vxlanPort")]
        case .ipReservations: [Column("CIDRS", "reservedCIDRs")]
        case .blockAffinities: [Column("CIDR", "cidr"), Column("NODE", "node"), Column("STATE", "state")]
        }
    }
}
