import LinuxOS

extension NodeAgent {
    /// To be called first, before there are other threads.
    package static func shareHeap() { Heap.share() }
}
