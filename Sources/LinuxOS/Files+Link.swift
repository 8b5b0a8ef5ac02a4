import Glibc

extension Files {
    /// The path of a file without symbolic links (realpath(3)); nil when it is not there.
    package static func resolved(_ path: String) -> String? {
        // SAFETY: realpath answers NULL or memory of its own, which is freed after the copy.
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    /// What a symbolic link says (readlink(2)); nil when there is none, or it may not be read.
    package static func target(ofLink path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: readlink writes at most the count it is given and answers how much it wrote.
        let count = unsafe bytes.withUnsafeMutableBytes { buffer -> Int in
            guard let start = buffer.baseAddress else { return -1 }
            return unsafe readlink(path, start, buffer.count)
        }
        guard count >= 0 else { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
