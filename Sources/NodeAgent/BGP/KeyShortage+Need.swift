import LinuxOS
import NetTypes
import NodeLink
import Resources
import Synchronization

extension KeyShortage {
    /// What net.core.optmem_max must be for all keys of a socket, as far as those that found room show it; nil where
    /// none did.
    ///
    /// What a key costs is the kernel's affair. What fits shows it: it is at most the limit, divided by the keys there.
    static func neededBytes(limitBytes: Int, fitting: Int, wanted: Int) -> Int? {
        guard limitBytes > 0, fitting > 0, wanted > 0, wanted < Int(Int32.max) else { return nil }
        let perKey = limitBytes / fitting + 1
        // The limit itself is not to be reached.
        let (product, overflow) = perKey.multipliedReportingOverflow(by: wanted + 1)
        guard !overflow, product < Int(Int32.max) - 4096 else { return nil }
        return (product + 4095) / 4096 * 4096
    }
}

/// The shortage that there is now: the listener knows it, and whoever answers `status` asks.
final class KeyShortages: Sendable {
    private let value = Mutex<KeyShortage?>(nil)

    /// What there is now; nil where every peer has its key.
    var current: KeyShortage? { value.withLock { $0 } }

    /// Takes the place of what there was.
    func replace(by new: KeyShortage?) { value.withLock { $0 = new } }
}
