/// Texts that are read once per call, in programs that live for a millisecond: a `Character` is found by Unicode's rules,
/// with tables that would have to be paged in first, and an ASCII character is one octet.
extension String {
    /// The parts between the occurrences of an ASCII character, as `split` gives them.
    package func parts(separatedBy separator: Unicode.Scalar, omittingEmpty: Bool = true) -> [Substring] {
        utf8.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: omittingEmpty).map(Substring.init)
    }

    /// What stands before the first occurrence of an ASCII character and what stands after it; nil if there is none.
    package func halves(around separator: Unicode.Scalar) -> (before: Substring, after: Substring)? {
        guard let place = utf8.firstIndex(of: UInt8(ascii: separator)) else { return nil }
        return (self[..<place], self[utf8.index(after: place)...])
    }
}
