import CLibNL
import LinuxOS
import NetTypes

// Reading what the kernel sent, with every length checked: a datagram that lies is cut short, never followed.

/// The header of one received message.
struct NetlinkHeader {
    let type: Int
    let flags: Int32
    let sequence: UInt32
}

/// The parts of an answer.
enum NetlinkReader {
    /// Visits each message of a datagram with what follows its header.
    static func forEachMessage<Failure: Error>(
        in datagram: RawSpan, _ body: (NetlinkHeader, RawSpan) throws(Failure) -> Void,
    ) throws(Failure) {
        let headerSize = MemoryLayout<nlmsghdr>.size
        var offset = 0
        while let raw = datagram.load(nlmsghdr.self, at: offset) {
            let length = Int(raw.nlmsg_len)
            guard length >= headerSize, length <= datagram.byteCount - offset else { return }
            let header = NetlinkHeader(
                type: Int(raw.nlmsg_type), flags: Int32(raw.nlmsg_flags), sequence: raw.nlmsg_seq)
            try body(header, datagram.extracting(offset + headerSize..<offset + length))
            offset += align(length)
        }
    }

    /// Visits each attribute of a payload from `offset` on, its type without the flag bits.
    static func forEachAttribute(in payload: RawSpan, from offset: Int = 0, _ body: (Int, RawSpan) -> Void) {
        let headerSize = MemoryLayout<nlattr>.size
        var offset = align(offset)
        while let raw = payload.load(nlattr.self, at: offset) {
            let length = Int(raw.nla_len)
            guard length >= headerSize, length <= payload.byteCount - offset else { return }
            let type = Int32(raw.nla_type) & ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER)
            body(Int(type), payload.extracting(offset + headerSize..<offset + length))
            offset += align(length)
        }
    }

    /// The error number (0: success) and the kernel's words in an NLMSG_ERROR or NLMSG_DONE.
    static func outcome(_ header: NetlinkHeader, _ payload: RawSpan) -> (code: SystemErrorCode, message: String?) {
        guard let raw = payload.load(Int32.self, at: 0) else { return (.EPROTO, nil) }
        let code = SystemErrorCode(rawValue: raw == .min ? .max : abs(raw))
        guard header.flags & NLM_F_ACK_TLVS != 0 else { return (code, nil) }
        var start = MemoryLayout<Int32>.size
        if header.type == NLMSG_ERROR {
            start = MemoryLayout<nlmsgerr>.size
            // Unless it is capped, the whole request comes back between the error and its attributes.
            if header.flags & NLM_F_CAPPED == 0, let echo = payload.load(nlmsgerr.self, at: 0) {
                start += align(max(Int(echo.msg.nlmsg_len) - MemoryLayout<nlmsghdr>.size, 0))
            }
        }
        var message: String?
        forEachAttribute(in: payload, from: start) { type, value in
            if type == Int(NLMSGERR_ATTR_MSG.rawValue) { message = value.text }
        }
        return (code, message)
    }

    /// Rounds up to the four octets that messages and attributes alike are aligned to.
    static func align(_ length: Int) -> Int { (length + Int(NLMSG_ALIGNTO) - 1) & ~(Int(NLMSG_ALIGNTO) - 1) }
}

extension RawSpan {
    /// A value in the kernel's layout, or nil when the octets end before it does.
    func load<Value: BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value? {
        guard offset >= 0, offset <= byteCount, MemoryLayout<Value>.size <= byteCount - offset else { return nil }
        // SAFETY: the bounds were just checked, and every pattern of bits is a value of the kernel's plain structures.
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// The octets.
    var octets: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(byteCount)
        for offset in 0..<byteCount { if let octet = load(UInt8.self, at: offset) { result.append(octet) } }
        return result
    }

    /// An attribute of 32 bits.
    var uint32: UInt32? { load(UInt32.self, at: 0) }

    /// Text up to a NUL or the end.
    var text: String { String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self) }

    /// An address of 4 or 16 octets.
    var address: IPAddress? {
        switch byteCount {
        case 4: load(UInt32.self, at: 0).map { .v4(IPv4Address(rawValue: UInt32(bigEndian: $0))) }
        case 16:
            if let high = load(UInt64.self, at: 0), let low = load(UInt64.self, at: 8) {
                .v6(IPv6Address(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low)))
            } else {
                nil
            }
        default: nil
        }
    }
}
