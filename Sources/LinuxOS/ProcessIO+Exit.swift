import Glibc

extension ProcessIO {
    /// Ends the process with a status. Nothing of its is buffered: `ProcessIO` writes at once.
    package static func exit(_ status: Int32) -> Never {
        Glibc.exit(status)
    }
}
