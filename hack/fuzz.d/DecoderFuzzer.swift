// The decoder under libFuzzer: bytes of a stream go in as a session's would, and what comes out must survive its own
// encoding. A trap of the decoder, or an answer that contradicts itself, ends the process, and libFuzzer keeps the input.
//
// An input is one octet that chooses what the session has agreed on, and then frames. The mutator keeps the headers
// whole, because a broken one hides everything behind it, and sometimes sets the lengths of an UPDATE right again.

import BGPWire
import NetTypes

/// What sessions agree on, chosen by the first octet of an input.
private let contexts: [WireContext] = [
    WireContext(isIBGP: true), WireContext(isIBGP: false), WireContext(fourOctetAS: false, isIBGP: false),
    WireContext(fourOctetAS: false, isIBGP: true), WireContext(maximumMessageLength: 65535, isIBGP: true),
    WireContext(isIBGP: true, pathIDsIn: [.ipv4, .ipv6], pathIDsOut: [.ipv4, .ipv6]),
    WireContext(isIBGP: true, ipv6NextHopsForIPv4: true),
    WireContext(
        maximumMessageLength: 65535, isIBGP: false, pathIDsIn: .ipv6, pathIDsOut: .ipv4, ipv6NextHopsForIPv4: true),
]

/// Tries one input; called by libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
package func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer hands over `count` octets that stay for the length of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let context = contexts[Int(choice) % contexts.count]
    var decoder = MessageDecoder()
    _ = decoder.push(input.dropFirst())
    do {
        while let message = try decoder.nextMessage(context) { check(message, context) }
    } catch {
        require((1...7).contains(error.notification.code), "a NOTIFICATION of code \(error.notification.code)")
        require(!error.description.isEmpty, "an error without words")
    }
    return 0
}

/// What comes out of the decoder must survive its own encoding.
private func check(_ message: BGPMessage, _ context: WireContext) {
    // Path identifiers may be agreed on in one direction alone; what is written is read the other way round.
    var reading = context
    reading.pathIDsIn = context.pathIDsOut
    var again: [BGPMessage] = []
    var decoder = MessageDecoder()
    let bytes = message.encode(context)
    guard decoder.push(bytes) == bytes.count else { return }
    do {
        while let part = try decoder.nextMessage(reading) { again.append(part) }
    } catch {
        require(false, "what was written cannot be read: \(error)")
    }
    require(decoder.bufferedCount == 0, "what was written ends inside a frame")
    switch message {
    case .update(let update): check(update, again)
    case .notification(let notification):
        require(again == [message], "a NOTIFICATION reads otherwise")
        require(!notification.description.isEmpty, "a NOTIFICATION without words")
    default: require(again == [message], "\(message) reads otherwise")
    }
}

private func check(_ update: UpdateMessage, _ again: [BGPMessage]) {
    #if PLANTED_TRAP
        // The mistake that the decoder must not make: an octet is read that may not be there.
        for attribute in update.attributes.unknown where (64..<96).contains(attribute.type) {
            require(attribute.value[3] != 0xee, "the planted trap")
        }
    #endif
    let parts = again.compactMap { if case .update(let part) = $0 { part } else { nil } }
    require(parts.count == again.count, "an UPDATE reads as something else")
    require(parts.allSatisfy { $0.malformed.isEmpty }, "what was written is malformed")
    require(
        parts.flatMap(\.reachable).flatMap(\.prefixes) == update.reachable.flatMap(\.prefixes)
            || parts.flatMap(\.unreachable).flatMap(\.prefixes).count > update.unreachable.flatMap(\.prefixes).count,
        "announced prefixes differ")
    for error in update.malformed { require(!error.description.isEmpty, "an error without words") }
    for attribute in update.attributes.unknown where attribute.type == TunnelEncapsulation.attributeType {
        guard let tunnels = TunnelEncapsulation(parsing: attribute.value) else {
            return require(false, "a malformed tunnel encapsulation was taken")
        }
        require(tunnels.bytes == attribute.value, "a tunnel encapsulation reads otherwise")
        for tunnel in tunnels.tunnels {
            _ = (tunnel.vxlan, tunnel.egressEndpoint, tunnel.udpDestinationPort, tunnel.innerAddress)
        }
    }
}

private func require(_ holds: Bool, _ claim: @autoclosure () -> String) {
    if !holds { preconditionFailure(claim()) }
}
