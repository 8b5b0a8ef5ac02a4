/// What one peer has been told of one family, and what it is still to be told. It holds no routes: a bit for each
/// prefix sent, and how far the peer has read.
struct AdjRIBOut: Sendable {
    /// A walk over all prefixes, in the order of their ids.
    struct Feed: Sendable {
        /// The next id.
        var position: UInt32 = 0
        /// What is in the change log from here on comes by the log, so the walk leaves it out.
        let since: UInt64
        /// Whether prefixes that have been sent are sent again (RFC 2918).
        let isRefresh: Bool
    }

    /// Whether a session with this family is established.
    var isActive = false
    /// The prefixes the peer holds from us.
    var sent = Bitmap()
    /// The first number of the change log the peer has not read.
    var cursor: UInt64 = 0
    /// The walk under way.
    var feed: Feed?
    /// Whether the End-of-RIB has been handed out.
    var hasSentEndOfRIB = false

    /// An active one with its initial feed before it.
    static func starting(at cursor: UInt64) -> AdjRIBOut {
        AdjRIBOut(isActive: true, cursor: cursor, feed: Feed(since: cursor, isRefresh: false))
    }

    /// Begins a walk over everything.
    mutating func restartFeed(isRefresh: Bool) {
        feed = Feed(since: cursor, isRefresh: isRefresh || feed?.isRefresh == true)
    }
}
