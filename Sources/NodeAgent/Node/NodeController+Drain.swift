import LinuxOS
import Logging
import NetTypes
import NodeLink

// The node is about to go (RFC 8326).
extension NodeController {
    /// Remembers that the node is drained, or no longer, and has the announcements follow.
    func setDrained(_ isWanted: Bool) -> Result<JSONObject, RemoteError> {
        do throws(SystemError) {
            try drain.set(isWanted)
        } catch {
            return .failure(RemoteError(code: 5, message: "the state directory cannot be written: \(error)"))
        }
        logger.notice(isWanted ? "the node is drained" : "the node is no longer drained")
        reviewSignal.raise()
        return .success([:])
    }
}
