import Glibc

/// How many descriptors this process may have open (RLIMIT_NOFILE).
package struct DescriptorLimit: Sendable, Hashable {
    /// What holds now.
    package let soft: UInt64
    /// What the process may raise it to by itself.
    package let hard: UInt64

    /// The limit that holds.
    ///
    /// - Throws: what getrlimit(2) answers
    package static func current() throws(SystemError) -> DescriptorLimit {
        var limit = rlimit()
        // SAFETY: the call writes the structure it is given.
        let result = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("getrlimit", "RLIMIT_NOFILE", code) }
        return DescriptorLimit(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// Makes the soft limit the hard one; what is started from here inherits it.
    ///
    /// - Throws: what setrlimit(2) answers; the limit is then as it was
    /// - Returns: the limit that holds from now on
    package static func raise() throws(SystemError) -> DescriptorLimit {
        let limit = try current()
        return limit.soft == limit.hard ? limit : try set(soft: limit.hard, hard: limit.hard)
    }

    static func set(soft: UInt64, hard: UInt64) throws(SystemError) -> DescriptorLimit {
        var limit = rlimit()
        limit.rlim_cur = rlim_t(soft)
        limit.rlim_max = rlim_t(hard)
        // SAFETY: the call reads the structure it is given.
        let result = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("setrlimit", "RLIMIT_NOFILE \(soft)", code) }
        return DescriptorLimit(soft: soft, hard: hard)
    }
}
