extension Array where Element: CustomStringConvertible {
    /// The elements with commas between them. The first `joined(separator:)` of a process looks for conformances among
    /// all there are, which takes as long as several system calls.
    var asList: String {
        var text = ""
        for element in self {
            if !text.isEmpty { text += ", " }
            text += element.description
        }
        return text
    }
}
