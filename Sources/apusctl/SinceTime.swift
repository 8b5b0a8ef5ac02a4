import Glibc

/// The SINCE of a peer in BIRD's short form: the time of day for the last 20 hours, else the date; in local time.
enum SinceTime {
    private static let recentSeconds: Int64 = 20 * 3600

    /// The text for a moment, both in seconds since 1970.
    static func text(_ since: Int64, now: Int64) -> String {
        var moment = time_t(since)
        // SAFETY: tm holds one pointer, to the zone's static name, which is not read here.
        var parts = unsafe tm()
        // SAFETY: both addresses are of live variables; localtime_r fills the second and keeps neither.
        guard unsafe localtime_r(&moment, &parts) != nil else { return String(since) }
        let age = now.subtractingReportingOverflow(since)
        if !age.overflow, age.partialValue < recentSeconds {
            return unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":")
        }
        return unsafe "\(Int64(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }

    /// The time of day, in seconds since 1970.
    static func now() -> Int64 { Int64(time(nil)) }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
