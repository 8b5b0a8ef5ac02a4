import BGPSession
import NetTypes

extension SessionStatus {
    /// What went wrong last, in words, and how long the session stays in Idle because of it; nil if nothing ever did.
    func problem(at now: MonotonicTime) -> String? {
        guard let heldUntil else { return lastError }
        let seconds = max(1, (heldUntil - now).components.seconds)
        return "\(failures) failures, held for \(seconds) s: \(lastError ?? "")"
    }
}
