/// An address together with the length of the network it stands in, as an interface carries it: `192.168.1.1/24`.
@frozen @usableFromInline
package struct CIDRAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address, its host bits kept.
    @usableFromInline package let address: IPAddress
    /// The network's prefix length: 0...32 or 0...128.
    @usableFromInline package let length: UInt8

    /// Joins an address and a length; a length above the family's width is cut to it.
    @inlinable package init(_ address: IPAddress, length: UInt8) {
        self.address = address
        self.length = min(length, AddressFamily(of: address).bitWidth)
    }

    /// Parses `ADDRESS/LENGTH`; the length is required and has no leading zero.
    @inlinable package init?(_ text: some StringProtocol) { self.init(parsing: String(text)) }

    /// As octets: a `Character` is found by the rules of Unicode, at ten times the cost.
    @usableFromInline init?(parsing text: String) {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")), let address = IPAddress(text[..<slash]) else {
            return nil
        }
        let digits = text.utf8[text.utf8.index(after: slash)...]
        guard (1...3).contains(digits.count), digits.first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        var length = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            length = length * 10 + Int(digit - UInt8(ascii: "0"))
        }
        guard length <= Int(address.family.bitWidth) else { return nil }
        self.init(address, length: UInt8(length))
    }

    /// The network the address lies in.
    @inlinable package var network: IPPrefix { IPPrefix(masking: address, length: length) }

    /// `ADDRESS/LENGTH`.
    @usableFromInline package var description: String { "\(address)/\(length)" }
}
