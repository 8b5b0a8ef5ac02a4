import CLinuxShim

/// The memory of this process.
package enum Heap {
    /// Has all threads take their memory from one heap instead of one for each: less is resident, and what a wake-up
    /// touches lies closer together. To be called before there are other threads.
    package static func share() { clinux_share_heap() }
}
