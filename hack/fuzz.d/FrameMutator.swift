/// libFuzzer's own mutation of a buffer.
@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

private let headerOctets = 19
private let update: UInt8 = 2

/// Changes an input; called by libFuzzer. The body of the first frame is changed as libFuzzer likes, and the header is
/// written anew around it. Of four inputs one gets an attribute more, and one has the lengths of its UPDATE set right.
@_cdecl("LLVMFuzzerCustomMutator")
package func customMutator(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: CUnsignedInt
) -> Int {
    let frameStart = 1
    let bodyStart = frameStart + headerOctets
    // SAFETY: libFuzzer's buffer has `limit` octets, `count` of them in use; every index below is under one of the two.
    let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: limit)
    guard limit > bodyStart + 64 else { return unsafe mutate(start, count, limit) }
    var bytes = unsafe Array(buffer.prefix(count))
    if bytes.count < bodyStart {
        bytes += [UInt8](repeating: 0, count: bodyStart - bytes.count)
        bytes[bodyStart - 1] = UInt8(seed % 5) + 1
    }
    if seed % 16 == 0 { bytes[0] = UInt8(truncatingIfNeeded: seed >> 8) }
    if seed % 64 == 1 { bytes[bodyStart - 1] = UInt8(seed >> 8 & 7) }
    unsafe store(bytes, in: buffer)
    // SAFETY: the body lies inside the buffer, and grows to its end at most.
    let body = unsafe mutate(start + bodyStart, bytes.count - bodyStart, min(limit, 4097) - bodyStart)
    var changed = unsafe Array(buffer.prefix(bodyStart + body))
    if changed[bodyStart - 1] == update {
        if seed % 4 == 2 { insertAttribute(into: &changed, at: bodyStart, seed: seed) }
        if seed % 4 >= 2 { repairLengths(of: &changed, at: bodyStart) }
    }
    if changed.count > limit { changed.removeLast(changed.count - limit) }
    let length = changed.count - frameStart
    changed.replaceSubrange(frameStart..<frameStart + 16, with: repeatElement(0xff, count: 16))
    changed[frameStart + 16] = UInt8(truncatingIfNeeded: length >> 8)
    changed[frameStart + 17] = UInt8(truncatingIfNeeded: length)
    unsafe store(changed, in: buffer)
    return changed.count
}

private func store(_ bytes: [UInt8], in buffer: UnsafeMutableBufferPointer<UInt8>) {
    for index in bytes.indices { unsafe buffer[index] = bytes[index] }
}

/// Puts an attribute of a known type, with flags and a length that fit, in front of those that are there.
private func insertAttribute(into bytes: inout [UInt8], at body: Int, seed: CUnsignedInt) {
    let kinds: [(flags: UInt8, type: UInt8, length: Int)] = [
        (0x40, 1, 1), (0x40, 2, 6), (0x40, 3, 4), (0x80, 4, 4), (0x40, 5, 4), (0x40, 6, 0), (0xc0, 7, 8), (0xc0, 8, 4),
        (0x80, 9, 4), (0x80, 10, 4), (0x80, 14, 26), (0x80, 15, 8), (0xc0, 16, 8), (0xc0, 17, 6), (0xc0, 18, 8),
        (0xc0, 23, 16), (0xc0, 32, 12), (0xc0, 99, 3),
    ]
    let kind = kinds[Int(seed >> 4) % kinds.count]
    guard bytes.count >= body + 4 else { return }
    let withdrawn = Int(bytes[body]) << 8 | Int(bytes[body + 1])
    let place = body + 2 + withdrawn
    guard place + 2 <= bytes.count else { return }
    let value = (0..<kind.length).map { UInt8(truncatingIfNeeded: (seed >> 9) &* UInt32($0 + 1)) }
    let attribute = [kind.flags, kind.type, UInt8(kind.length)] + value
    let length = (Int(bytes[place]) << 8 | Int(bytes[place + 1])) + attribute.count
    bytes[place] = UInt8(truncatingIfNeeded: length >> 8)
    bytes[place + 1] = UInt8(truncatingIfNeeded: length)
    bytes.insert(contentsOf: attribute, at: place + 2)
}

/// Cuts the two lengths of an UPDATE down to what is there, and each attribute's to what is left of the list.
private func repairLengths(of bytes: inout [UInt8], at body: Int) {
    guard bytes.count >= body + 4 else { return }
    let withdrawn = min(Int(bytes[body]) << 8 | Int(bytes[body + 1]), bytes.count - body - 4)
    bytes[body] = UInt8(truncatingIfNeeded: withdrawn >> 8)
    bytes[body + 1] = UInt8(truncatingIfNeeded: withdrawn)
    let place = body + 2 + withdrawn
    let length = min(Int(bytes[place]) << 8 | Int(bytes[place + 1]), bytes.count - place - 2)
    bytes[place] = UInt8(truncatingIfNeeded: length >> 8)
    bytes[place + 1] = UInt8(truncatingIfNeeded: length)
    let end = place + 2 + length
    var next = place + 2
    while next + 3 <= end {
        let isLong = bytes[next] & 0x10 != 0
        guard !isLong || next + 4 <= end else { return }
        let head = isLong ? 4 : 3
        let claimed = isLong ? Int(bytes[next + 2]) << 8 | Int(bytes[next + 3]) : Int(bytes[next + 2])
        let size = min(claimed, end - next - head)
        if isLong {
            bytes[next + 2] = UInt8(truncatingIfNeeded: size >> 8)
            bytes[next + 3] = UInt8(truncatingIfNeeded: size)
        } else {
            bytes[next + 2] = UInt8(truncatingIfNeeded: size)
        }
        next += head + size
    }
}
