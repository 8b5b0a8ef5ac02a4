import CLibNL
import Glibc
import LinuxOS
import NetTypes

/// The owner of a connected libnl `struct nl_sock` of NETLINK_ROUTE. Not for more than one thread at a time.
@safe
struct NetlinkHandle: ~Copyable {
    /// The largest datagram the kernel sends: a dump's part is at most 32 KiB, one message of a very large link more.
    private static let receiveCapacity = 128 * 1024

    private let socket: OpaquePointer
    private var buffer: [UInt8]
    /// Whether the receive buffer has the size that was asked for; an unprivileged process may not exceed the limit.
    let hasFullBuffer: Bool

    /// Opens a socket in the calling thread's network namespace; it stays there, wherever the thread goes.
    ///
    /// - Parameter receiveBufferBytes: what the kernel may hold for the socket before it drops; nil for libnl's 32 KiB
    ///   each way, which takes four calls less.
    /// - Parameter family: `NETLINK_ROUTE` and its kin.
    init(receiveBufferBytes: Int32?, family: Int32 = NETLINK_ROUTE) throws(NetlinkError) {
        guard let socket = unsafe nl_socket_alloc() else { throw NetlinkError(.socketOpen, "rtnetlink", .ENOMEM) }
        // libnl's own receive is not used, so its number checks and automatic requests for ACKs would only mislead.
        let result = unsafe nl_connect(socket, family)
        let code = SystemErrorCode.last
        guard result == 0 else {
            let text = unsafe String(cString: nl_geterror(result))
            unsafe nl_socket_free(socket)
            throw NetlinkError(.socketOpen, "rtnetlink", code, kernelMessage: text)
        }
        let number = unsafe nl_socket_get_fd(socket)
        if let receiveBufferBytes {
            hasFullBuffer = Self.set(number, SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes)
            if !hasFullBuffer { _ = Self.set(number, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes) }
            // libnl cuts the send buffer to 32 KiB, less than one chunk of a batch.
            _ = Self.set(number, SOL_SOCKET, SO_SNDBUF, 192 << 10)
        } else {
            hasFullBuffer = false
        }
        // Kernels that lack one of these answer less exactly; nothing depends on them for being right.
        _ = Self.set(number, SOL_NETLINK, NETLINK_EXT_ACK, 1)
        _ = Self.set(number, SOL_NETLINK, NETLINK_CAP_ACK, 1)
        _ = Self.set(number, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        unsafe self.socket = socket
        // SAFETY: octets that recv(2) has not written are never read; to clear them would touch every page of a buffer
        // of which most sockets use a few hundred octets.
        buffer = unsafe [UInt8](unsafeUninitializedCapacity: Self.receiveCapacity) { _, count in
            count = Self.receiveCapacity
        }
    }

    deinit {
        // SAFETY: allocated in init, freed nowhere else; it closes the descriptor.
        unsafe nl_socket_free(socket)
    }

    /// The socket's descriptor.
    var descriptor: Int32 { unsafe nl_socket_get_fd(socket) }

    /// Who the socket is to the kernel.
    var port: NetlinkPort { NetlinkPort(rawValue: unsafe nl_socket_get_local_port(socket)) }

    /// Joins a multicast group (`RTNLGRP_*`, `NFNLGRP_*`).
    func join(_ group: UInt32) throws(NetlinkError) {
        guard Self.set(descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(bitPattern: group)) else {
            throw NetlinkError(.socketOpen, "multicast group \(group)", .last)
        }
    }

    /// Sends one datagram to the kernel, which has acted on all of it when this returns.
    func send(_ datagram: [UInt8]) throws(NetlinkError) {
        let count = datagram.count
        // SAFETY: nl_sendto only reads, `count` octets of an array that outlives the call.
        let result = unsafe datagram.withUnsafeBytes { bytes in
            unsafe nl_sendto(socket, UnsafeMutableRawPointer(mutating: bytes.baseAddress), count)
        }
        let code = SystemErrorCode.last
        guard result >= 0 else { throw NetlinkError(.send, "\(count) octets", code) }
    }

    /// Waits for a datagram and visits its messages.
    ///
    /// - Throws: `ETIMEDOUT` at the deadline; `ENOBUFS` when datagrams were lost (`NetlinkError.isOverrun`).
    mutating func receive<Failure: Error>(
        until deadline: MonotonicTime, orThrow failure: (NetlinkError) -> Failure,
        _ body: (NetlinkHeader, RawSpan) throws(Failure) -> Void,
    ) throws(Failure) {
        let count: Int
        do throws(NetlinkError) {
            count = try receive(until: deadline)
        } catch {
            throw failure(error)
        }
        // SAFETY: octets are without padding, so every one of them is initialised.
        let datagram = unsafe buffer.span.bytes.extracting(first: count)
        try NetlinkReader.forEachMessage(in: datagram, body)
    }

    /// Visits the messages of a datagram that is there already.
    ///
    /// - Returns: false when none is there.
    mutating func receivePending(_ body: (NetlinkHeader, RawSpan) -> Void) throws(NetlinkError) -> Bool {
        guard let count = try receiveNow() else { return false }
        // SAFETY: octets are without padding, so every one of them is initialised.
        let datagram = unsafe buffer.span.bytes.extracting(first: count)
        NetlinkReader.forEachMessage(in: datagram, body)
        return true
    }

    private mutating func receive(until deadline: MonotonicTime) throws(NetlinkError) -> Int {
        while true {
            if let count = try receiveNow() { return count }
            do throws(SystemError) {
                guard try Poll.readable([descriptor], until: deadline, name: "rtnetlink").contains(true) else {
                    throw SystemError("wait for", "rtnetlink", .ETIMEDOUT)
                }
            } catch {
                throw NetlinkError(.receive, "the kernel's answer", error.code)
            }
        }
    }

    /// The length of the datagram that is now in the buffer; nil when there is none yet.
    private mutating func receiveNow() throws(NetlinkError) -> Int? {
        let number = descriptor
        let capacity = buffer.count
        while true {
            // SAFETY: recv(2) writes at most the buffer's length. MSG_TRUNC makes it answer the datagram's full length.
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe recv(number, bytes.baseAddress, capacity, Int32(MSG_DONTWAIT) | Int32(MSG_TRUNC))
            }
            let code = SystemErrorCode.last
            if count > capacity { throw NetlinkError(.receive, "a datagram of \(count) octets", .EMSGSIZE) }
            if count >= 0 { return count }
            if code == .EAGAIN { return nil }
            if code != .EINTR { throw NetlinkError(.receive, "the kernel's answer", code) }
        }
    }

    private static func set(_ number: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
        var value = value
        // SAFETY: the kernel reads one number that outlives the call.
        return unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }
}
