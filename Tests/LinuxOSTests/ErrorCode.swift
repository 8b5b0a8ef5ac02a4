import LinuxOS

/// The error number of a call that fails; nil for one that does not.
func code(_ body: () throws(SystemError) -> Void) -> SystemErrorCode? {
    do throws(SystemError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}
