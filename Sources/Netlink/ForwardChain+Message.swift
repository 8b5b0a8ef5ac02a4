import CLibNL
import Glibc
import LinuxOS
import NetTypes

// The dumps of nf_tables (linux/netfilter/nf_tables.h).
extension ForwardChain {
    /// The chains at the hook in the calling thread's network namespace; none where the kernel has no nftables, or shows
    /// them to nobody without rights.
    package static func all() throws(NetlinkError) -> [ForwardChain] {
        do throws(NetlinkError) {
            var socket = try NetlinkSocket(filtering: .seconds(5))
            let chains = try socket.dump(query(NFT_MSG_GETCHAIN), .ruleList, "chains", decode: Base.init(payload:))
            guard chains.contains(where: \.isForward) else { return [] }
            var rules: [(table: Table, rule: Rule)] = []
            // Of the other tables' rules there may be a hundred thousand.
            for table in Set(chains.lazy.filter(\.isForward).map(\.table)) {
                rules += try socket.dump(query(NFT_MSG_GETRULE, of: table), .ruleList, "rules", decode: tableRule)
            }
            return chains.filter(\.isForward).map { chain in
                ForwardChain(
                    family: chain.table.family, table: chain.table.name, name: chain.name, policyDrops: chain.drops,
                    chains: Set(chains.filter { $0.table == chain.table }.map(\.name)),
                    rules: rules.filter { $0.table == chain.table }.map(\.rule))
            }
        } catch {
            let absent = [EINVAL, EOPNOTSUPP, EPROTONOSUPPORT, EPERM, ENOENT]
            guard absent.contains(error.code.rawValue) else { throw error }
            return []
        }
    }

    /// - Parameter table: the one that is asked about; nil for those of all families.
    private static func query(
        _ type: nf_tables_msg_types, of table: Table? = nil,
    ) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage()
        var header = nfgenmsg()
        header.nfgen_family = table?.number ?? UInt8(NFPROTO_UNSPEC)
        message.begin(Int32(NFNL_SUBSYS_NFTABLES) << 8 | Int32(type.rawValue), flags: 0, header)
        if let table { message.put(NFTA_RULE_TABLE.rawValue, table.name) }
        return message
    }

    private struct Table: Hashable {
        let family: Family
        let name: String

        /// Reads whose an object is; nil for families that forward nothing by address.
        init?(_ payload: RawSpan, name: String) {
            switch payload.load(nfgenmsg.self, at: 0).map({ Int($0.nfgen_family) }) {
            case NFPROTO_INET: family = .inet
            case NFPROTO_IPV4: family = .ip
            case NFPROTO_IPV6: family = .ip6
            default: return nil
            }
            self.name = name
        }

        /// The family's number.
        var number: UInt8 {
            switch family {
            case .inet: UInt8(NFPROTO_INET)
            case .ip: UInt8(NFPROTO_IPV4)
            case .ip6: UInt8(NFPROTO_IPV6)
            }
        }
    }

    /// A chain, at whichever hook or at none.
    private struct Base {
        let table: Table
        let name: String
        private(set) var isForward = false
        private(set) var drops = false

        init?(payload: RawSpan) {
            var (table, name, hook, policy) = ("", "", UInt32?.none, UInt32?.none)
            NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<nfgenmsg>.size) { type, value in
                switch type {
                case Int(NFTA_CHAIN_TABLE.rawValue): table = value.text
                case Int(NFTA_CHAIN_NAME.rawValue): name = value.text
                case Int(NFTA_CHAIN_POLICY.rawValue): policy = value.uint32.map(UInt32.init(bigEndian:))
                case Int(NFTA_CHAIN_HOOK.rawValue):
                    NetlinkReader.forEachAttribute(in: value) { type, value in
                        guard type == Int(NFTA_HOOK_HOOKNUM.rawValue) else { return }
                        hook = value.uint32.map(UInt32.init(bigEndian:))
                    }
                default: break
                }
            }
            guard let table = Table(payload, name: table) else { return nil }
            self.table = table
            self.name = name
            isForward = hook == NF_INET_FORWARD.rawValue
            drops = policy == UInt32(NF_DROP)
        }
    }

    private static func tableRule(_ payload: RawSpan) -> (table: Table, rule: Rule)? {
        var table = ""
        var rule = Rule(chain: "", verdict: nil, isUnconditional: true)
        var load = ForwardChain.Rule.Load()
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<nfgenmsg>.size) { type, value in
            switch type {
            case Int(NFTA_RULE_TABLE.rawValue): table = value.text
            case Int(NFTA_RULE_CHAIN.rawValue): rule.chain = value.text
            case Int(NFTA_RULE_EXPRESSIONS.rawValue):
                NetlinkReader.forEachAttribute(in: value) { rule.add($1, &load) }
            default: break
            }
        }
        return Table(payload, name: table).map { ($0, rule) }
    }
}

extension ForwardChain.Rule {
    /// What neither chooses packets nor says what becomes of them.
    private static let bystanders: Set<String> = ["counter", "log"]

    /// What says something of the fields that were read before.
    private static let comparisons: Set<String> = ["cmp", "lookup", "range"]

    /// The fields that the next comparison is about.
    fileprivate struct Load {
        /// Whether the last is one of the packet's.
        private(set) var isOfPacket = false
        /// Whether one of them is an address or a link, by which pods can be told.
        private(set) var tellsPods = false
        private var isCompared = false

        /// The comparison comes: what is read next is another's.
        mutating func compare() { isCompared = true }

        /// Takes up what an expression reads.
        mutating func read(_ name: String, _ expression: RawSpan) {
            if name == "bitwise" { return }
            if isCompared { self = Load() }
            isOfPacket = name == "payload"
            if isOfPacket ? Load.isAddress(expression) : name == "meta" && Load.isLink(expression) { tellsPods = true }
        }

        /// The addresses of IPv4 begin at the octets 12 and 16 of its header, those of IPv6 at 8 and 24. What is at 8 in
        /// that of IPv4 has one octet.
        private static func isAddress(_ payload: RawSpan) -> Bool {
            let of = numbers(payload)
            guard of[NFTA_PAYLOAD_BASE.rawValue] == NFT_PAYLOAD_NETWORK_HEADER.rawValue else { return false }
            switch of[NFTA_PAYLOAD_OFFSET.rawValue] {
            case 12, 16: return true
            case 8, 24: return of[NFTA_PAYLOAD_LEN.rawValue, default: 0] > 1
            default: return false
            }
        }

        private static func isLink(_ meta: RawSpan) -> Bool {
            let key = numbers(meta)[NFTA_META_KEY.rawValue]
            return [NFT_META_IIF, NFT_META_OIF, NFT_META_IIFNAME, NFT_META_OIFNAME].contains { $0.rawValue == key }
        }

        /// The numbers that an expression has, by their attributes.
        static func numbers(_ expression: RawSpan) -> [UInt32: UInt32] {
            var numbers: [UInt32: UInt32] = [:]
            NetlinkReader.forEachAttribute(in: expression) { type, value in
                guard type == Int(NFTA_EXPR_DATA.rawValue) else { return }
                NetlinkReader.forEachAttribute(in: value) { type, value in
                    numbers[UInt32(type)] = value.uint32.map(UInt32.init(bigEndian:))
                }
            }
            return numbers
        }
    }

    /// Takes one expression in.
    ///
    /// - Parameter load: what the expressions before have read.
    fileprivate mutating func add(_ expression: RawSpan, _ load: inout Load) {
        var name = ""
        NetlinkReader.forEachAttribute(in: expression) { type, value in
            if type == Int(NFTA_EXPR_NAME.rawValue) { name = value.text }
        }
        if Self.bystanders.contains(name) { return }
        guard name != "reject" else {
            verdict = .discard
            return
        }
        if !["immediate", "target"].contains(name) { isUnconditional = false }
        if Self.comparisons.contains(name) { load.compare() } else { load.read(name, expression) }
        if name == "lookup" || name == "range", load.tellsPods { isVague = true }
        if name == "lookup", Load.numbers(expression)[NFTA_LOOKUP_DREG.rawValue] == NFT_REG_VERDICT.rawValue {
            verdict = .map
        }
        NetlinkReader.forEachAttribute(in: expression) { type, value in
            guard type == Int(NFTA_EXPR_DATA.rawValue) else { return }
            switch name {
            case "immediate": addImmediate(value)
            case "cmp": addComparison(value, of: load)
            case "target": addTarget(value)
            default: break
            }
        }
    }

    private mutating func addImmediate(_ data: RawSpan) {
        var (code, chain) = (Int32?.none, "")
        NetlinkReader.forEachAttribute(in: data) { type, value in
            guard type == Int(NFTA_IMMEDIATE_DATA.rawValue) else { return }
            NetlinkReader.forEachAttribute(in: value) { type, value in
                guard type == Int(NFTA_DATA_VERDICT.rawValue) else { return }
                NetlinkReader.forEachAttribute(in: value) { type, value in
                    if type == Int(NFTA_VERDICT_CODE.rawValue) {
                        code = value.uint32.map { Int32(bitPattern: UInt32(bigEndian: $0)) }
                    } else if type == Int(NFTA_VERDICT_CHAIN.rawValue) {
                        chain = value.text
                    }
                }
            }
        }
        switch code {
        case NF_ACCEPT: verdict = .accept
        case NF_DROP: verdict = .discard
        case NFT_JUMP.rawValue, NFT_GOTO.rawValue: verdict = .chain(chain)
        default: break
        }
    }

    /// An octet that is none of the packet's (`meta nfproto`) looks like the beginning of an address, and is left out.
    private mutating func addComparison(_ data: RawSpan, of load: Load) {
        var (isEquality, octets) = (false, [UInt8]())
        NetlinkReader.forEachAttribute(in: data) { type, value in
            if type == Int(NFTA_CMP_OP.rawValue) {
                isEquality = value.uint32.map(UInt32.init(bigEndian:)) == NFT_CMP_EQ.rawValue
            } else if type == Int(NFTA_CMP_DATA.rawValue) {
                NetlinkReader.forEachAttribute(in: value) { type, value in
                    if type == Int(NFTA_DATA_VALUE.rawValue) { octets = value.octets }
                }
            }
        }
        if isEquality, load.isOfPacket || octets.count > 1 { equals.append(octets) }
        if !isEquality, load.tellsPods { excludes = true }
    }

    /// An extension of iptables that nftables has no word for.
    private mutating func addTarget(_ data: RawSpan) {
        NetlinkReader.forEachAttribute(in: data) { type, value in
            if type == Int(NFTA_TARGET_NAME.rawValue), value.text == "REJECT" { verdict = .discard }
        }
    }
}
