import Glibc

extension ProcessIO {
    /// Ends the process at once with a status: what was to run at its end does not. Nothing of its is buffered, for
    /// `ProcessIO` writes at once.
    package static func exit(_ status: Int32) -> Never {
        _exit(status)
    }
}
