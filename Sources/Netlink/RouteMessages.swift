import CLibNL
import LinuxOS
package import NetTypes

/// What is asked about one route of many.
package struct RouteChange: Sendable {
    /// What is asked.
    package enum Verb: UInt8, Sendable {
        case add, replace, delete
    }

    /// The route's destination.
    package let destination: IPPrefix
    /// The route's metric; 0 is the kernel's default.
    package let metric: UInt32
    /// The number of all else that makes the route: what is equal has the same.
    package let form: UInt32
    /// What is asked.
    package let verb: Verb

    /// Joins the parts.
    package init(_ verb: Verb, _ destination: IPPrefix, metric: UInt32, form: UInt32) {
        self.verb = verb
        self.destination = destination
        self.metric = metric
        self.form = form
    }
}

/// Changes of many routes, written as the messages that ask the kernel for them.
///
/// Routes of one form differ in the few octets of their destinations: the first is written out, the others are its copies
/// with octets of their own. So to write a route takes less than to look one up.
package struct RouteMessages: Sendable {
    /// Messages without their numbers, one after the other.
    struct Datagram: Sendable {
        /// The place of the first message's change in the order; those of the others follow.
        let firstIndex: Int
        var octets: [UInt8]
    }

    /// A message to be copied, in `patternOctets`.
    private struct Pattern: Sendable {
        var start = 0
        var count = 0
    }

    /// The most octets of a datagram; the answers to so many requests fit the socket's buffer.
    static let datagramBytes = 64 << 10
    // Behind the header of the request comes the route's, behind that the first attribute, RTA_DST.
    private static let lengthOffset = MemoryLayout<nlmsghdr>.size + 1
    private static let destinationOffset =
        MemoryLayout<nlmsghdr>.size + MemoryLayout<rtmsg>.size + MemoryLayout<nlattr>.size

    /// So many additions of one form are worth a next hop of its own.
    package static let sharingCount = 1024

    /// The next hops that the messages name: they have to be there first.
    package private(set) var nextHops: [NextHopObject] = []
    private(set) var datagrams: [Datagram] = []
    /// The places in the order of the changes that fit into no message.
    private(set) var overfull: [Int] = []
    private var patternOctets: [UInt8] = []
    /// By form, verb and family; empty for what has not been written yet.
    private var patterns: [Pattern] = []

    /// Writes changes.
    ///
    /// - Parameters:
    ///   - changes: what is asked.
    ///   - order: the places of the changes, in the order in which they go.
    ///   - nextHop: the next hop that routes of a form may name; asked for where many are to be made.
    ///   - request: the change at a place in full; asked for once for each form.
    /// - Complexity: O(n)
    package init(
        _ changes: [RouteChange], in order: [Int], nextHop: (UInt32) -> NextHopObject? = { _ in nil },
        request: (Int) -> NetlinkRequest,
    ) {
        let named = Self.frequentForms(of: changes).reduce(into: [:]) { named, form in named[form] = nextHop(form) }
        nextHops = named.values.sorted { $0.id < $1.id }
        for (index, place) in order.enumerated() {
            let change = changes[place]
            let slot = Self.slot(of: change)
            if slot >= patterns.count {
                patterns.append(contentsOf: repeatElement(Pattern(), count: slot + 1 - patterns.count))
            }
            // A metric is an attribute of its own, and rare.
            if patterns[slot].count == 0 || change.metric != 0 {
                let isNamed = change.verb != .delete && !named.isEmpty
                patterns[slot] = write(request(place), naming: isNamed ? named[change.form] : nil)
            }
            guard patterns[slot].count > 0 else {
                overfull.append(index)
                continue
            }
            append(patterns[slot], for: change, at: index)
            if change.metric != 0 { patterns[slot] = Pattern() }
        }
        patternOctets = []
        patterns = []
    }

    private static func slot(of change: RouteChange) -> Int {
        (Int(change.form) * 3 + Int(change.verb.rawValue)) * 2 + (change.destination.family == .ipv4 ? 0 : 1)
    }

    /// The forms that many routes to be made have, in no order.
    private static func frequentForms(of changes: [RouteChange]) -> [UInt32] {
        guard changes.count >= sharingCount else { return [] }
        var uses: [Int] = []
        for change in changes where change.verb != .delete {
            let form = Int(change.form)
            if form >= uses.count { uses.append(contentsOf: repeatElement(0, count: form + 1 - uses.count)) }
            uses[form] += 1
        }
        return uses.indices.filter { uses[$0] >= sharingCount }.map { UInt32($0) }
    }

    private mutating func write(_ request: NetlinkRequest, naming nextHop: NextHopObject?) -> Pattern {
        let start = patternOctets.count
        guard var message = try? NetlinkMessage() else { return Pattern() }
        request.write(to: &message, naming: nextHop)
        guard !message.isOverfull else { return Pattern() }
        message.append(to: &patternOctets, sequence: 0, flags: 0)
        return Pattern(start: start, count: patternOctets.count - start)
    }

    private mutating func append(_ pattern: Pattern, for change: RouteChange, at index: Int) {
        if (datagrams.last?.octets.count ?? .max) > Self.datagramBytes - pattern.count || overfull.last == index - 1 {
            var octets: [UInt8] = []
            // The last message of a datagram asks for an answer to all.
            octets.reserveCapacity(Self.datagramBytes + MemoryLayout<nlmsghdr>.size)
            datagrams.append(Datagram(firstIndex: index, octets: octets))
        }
        let last = datagrams.count - 1
        let start = datagrams[last].octets.count
        datagrams[last].octets.append(contentsOf: patternOctets[pattern.start..<pattern.start + pattern.count])
        datagrams[last].octets[start + Self.lengthOffset] = change.destination.length
        let place = start + Self.destinationOffset
        switch change.destination.address {
        case .v4(let address):
            for octet in 0..<4 {
                datagrams[last].octets[place + octet] =
                    UInt8(truncatingIfNeeded: address.rawValue >> UInt32(24 - 8 * octet))
            }
        case .v6(let address):
            for (octet, value) in address.bytes.enumerated() { datagrams[last].octets[place + octet] = value }
        }
    }
}

extension NetlinkSocket {
    /// Carries out changes of routes in their order. Errors alone are answered, and the end of each datagram.
    ///
    /// - Returns: those that failed, by their places in the order; the others are done.
    /// - Throws: as for a batch.
    package mutating func execute(_ messages: RouteMessages) throws(NetlinkError) -> [NetlinkFailure] {
        func describe(_ index: Int) -> (NetlinkOperation, String) { (.routeChange, "number \(index) of a batch") }
        var failures = messages.overfull.map { index in
            let (operation, object) = describe(index)
            return NetlinkFailure(index: index, error: NetlinkError(operation, object, .EMSGSIZE))
        }
        for datagram in messages.datagrams {
            var (start, index) = (0, datagram.firstIndex)
            while start < datagram.octets.count {
                let chunk = takeChunk(of: datagram.octets, at: &start, from: &index)
                failures += try flush(chunk, acknowledgeEach: false, describe)
            }
        }
        return failures.sorted { $0.index < $1.index }
    }

    /// Takes as many messages as may go together, and gives them their numbers.
    private mutating func takeChunk(of octets: [UInt8], at start: inout Int, from index: inout Int) -> NetlinkChunk {
        var chunk = NetlinkChunk(firstSequence: nextSequence)
        let first = (start, index)
        var lengths: [Int] = []
        while start < octets.count {
            let length = Int(octets[start]) | Int(octets[start + 1]) << 8
            guard start - first.0 + length <= chunkBytes || start == first.0 else { break }
            lengths.append(length)
            start += length
            index += 1
        }
        chunk.indices = Array(first.1..<index)
        chunk.datagram.reserveCapacity(start - first.0 + MemoryLayout<nlmsghdr>.size)
        chunk.datagram += octets[first.0..<start]
        var place = 0
        for length in lengths {
            let number = takeSequence()
            for octet in 0..<4 {
                chunk.datagram[place + 8 + octet] = UInt8(truncatingIfNeeded: number >> UInt32(8 * octet))
            }
            place += length
        }
        return chunk
    }
}
