/// An address together with the length of the network it stands in, as an interface carries it: `192.168.1.1/24`.
@frozen
package struct CIDRAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address, its host bits kept.
    package let address: IPAddress
    /// The network's prefix length: 0...32 or 0...128.
    package let length: UInt8

    /// Joins an address and a length; a length above the family's width is cut to it.
    @inlinable package init(_ address: IPAddress, length: UInt8) {
        self.address = address
        self.length = min(length, AddressFamily(of: address).bitWidth)
    }

    /// Parses `ADDRESS/LENGTH`; the length is required and has no leading zero.
    package init?(_ text: some StringProtocol) {
        guard let slash = text.firstIndex(of: "/"), let address = IPAddress(text[..<slash]) else { return nil }
        let digits = text[text.index(after: slash)...]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            digits == "0" || digits.first != "0", let length = UInt8(digits), length <= address.family.bitWidth
        else { return nil }
        self.init(address, length: length)
    }

    /// The network the address lies in.
    @inlinable package var network: IPPrefix { IPPrefix(masking: address, length: length) }

    /// `ADDRESS/LENGTH`.
    package var description: String { "\(address)/\(length)" }
}
