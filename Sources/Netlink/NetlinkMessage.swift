import CLibNL
import LinuxOS
import NetTypes

/// One message being written: the owner of a libnl `struct nl_msg`, with room for a fixed number of octets.
///
/// What does not fit is left out and `isOverfull` tells it; such a message is never sent. Not for more than one thread.
@safe
struct NetlinkMessage: ~Copyable {
    /// The octets a message may have, its header included: a route with some three hundred hops.
    private static let capacity = 8192

    private let message: OpaquePointer
    /// Whether something did not fit.
    private(set) var isOverfull = false

    /// Allocates an empty message.
    init() throws(NetlinkError) {
        guard let message = unsafe nlmsg_alloc_size(Self.capacity) else {
            throw NetlinkError(.send, "a message", .ENOMEM)
        }
        unsafe self.message = message
    }

    deinit {
        // SAFETY: allocated in init, freed nowhere else.
        unsafe nlmsg_free(message)
    }

    /// Begins anew: the header of a request of this type and the family's own header after it.
    mutating func begin<Header: BitwiseCopyable>(_ type: some BinaryInteger, flags: Int32, _ header: Header) {
        isOverfull = false
        // SAFETY: the header is the message's own; cutting its length back is what makes room again.
        unsafe nlmsg_hdr(message).pointee.nlmsg_len = UInt32(MemoryLayout<nlmsghdr>.size)
        _ = unsafe nlmsg_put(message, 0, 0, Int32(truncatingIfNeeded: type), 0, NLM_F_REQUEST | flags)
        append(header)
    }

    /// Adds a C structure in the kernel's layout.
    mutating func append<Value: BitwiseCopyable>(_ value: Value) {
        var value = value
        // SAFETY: nlmsg_append copies the octets before it returns.
        let result = unsafe withUnsafeMutableBytes(of: &value) { bytes in
            unsafe nlmsg_append(message, bytes.baseAddress, bytes.count, Int32(NLMSG_ALIGNTO))
        }
        if result < 0 { isOverfull = true }
    }

    /// Adds an attribute of octets.
    mutating func put(_ attribute: some BinaryInteger, bytes: [UInt8]) {
        // SAFETY: nla_put copies the octets before it returns.
        let result = unsafe bytes.withUnsafeBytes { buffer in
            unsafe nla_put(message, Int32(truncatingIfNeeded: attribute), Int32(buffer.count), buffer.baseAddress)
        }
        if result < 0 { isOverfull = true }
    }

    /// Adds an attribute of one octet.
    mutating func put(_ attribute: some BinaryInteger, _ value: UInt8) {
        if unsafe nla_put_u8(message, Int32(truncatingIfNeeded: attribute), value) < 0 { isOverfull = true }
    }

    /// Adds an attribute of 32 bits in host order.
    mutating func put(_ attribute: some BinaryInteger, _ value: UInt32) {
        if unsafe nla_put_u32(message, Int32(truncatingIfNeeded: attribute), value) < 0 { isOverfull = true }
    }

    /// Adds an attribute of 64 bits in host order.
    mutating func put(_ attribute: some BinaryInteger, _ value: UInt64) {
        if unsafe nla_put_u64(message, Int32(truncatingIfNeeded: attribute), value) < 0 { isOverfull = true }
    }

    /// Adds an attribute of an address, in network order.
    mutating func put(_ attribute: some BinaryInteger, _ address: IPAddress) {
        switch address {
        case .v4(let address): put(attribute, address.rawValue.bigEndian)
        case .v6(let address): put(attribute, bytes: address.bytes)
        }
    }

    /// Adds an attribute of text, ended by NUL.
    mutating func put(_ attribute: some BinaryInteger, _ value: String) {
        put(attribute, bytes: Array(value.utf8) + [0])
    }

    /// Adds an attribute that holds attributes; left out when `body` adds none.
    mutating func nest(_ attribute: some BinaryInteger, _ body: (inout NetlinkMessage) -> Void) {
        // SAFETY: the message never moves, so the nest's start stays valid until its end is written.
        guard let start = unsafe nla_nest_start(message, Int32(truncatingIfNeeded: attribute)) else {
            isOverfull = true
            return
        }
        body(&self)
        _ = unsafe nla_nest_end(message, start)
    }

    /// Adds one `struct rtnexthop` and its attributes inside of RTA_MULTIPATH.
    mutating func nextHop(_ hop: rtnexthop, _ body: (inout NetlinkMessage) -> Void) {
        let start = length
        append(hop)
        body(&self)
        guard !isOverfull else { return }
        // SAFETY: `start` lies inside of the message, where the structure was appended whole.
        unsafe UnsafeMutableRawPointer(nlmsg_hdr(message)).storeBytes(
            of: UInt16(truncatingIfNeeded: length - start), toByteOffset: start, as: UInt16.self)
    }

    /// The length so far.
    var length: Int { unsafe Int(nlmsg_hdr(message).pointee.nlmsg_len) }

    /// Adds the message to a datagram, padded to the next message's place.
    ///
    /// - Parameters:
    ///   - sequence: the number by which the answer names the message.
    ///   - flags: flags besides those it was begun with.
    func append(to datagram: inout [UInt8], sequence: UInt32, flags: Int32) {
        // SAFETY: libnl keeps `nlmsg_len` octets behind the header, and they are copied at once.
        let header = unsafe nlmsg_hdr(message)
        unsafe header?.pointee.nlmsg_seq = sequence
        unsafe header?.pointee.nlmsg_flags |= UInt16(truncatingIfNeeded: flags)
        unsafe datagram.append(contentsOf: UnsafeRawBufferPointer(start: header, count: length))
        while datagram.count % Int(NLMSG_ALIGNTO) != 0 { datagram.append(0) }
    }
}
