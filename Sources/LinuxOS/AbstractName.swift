import Glibc

/// A name that one process of a network namespace has at a time: an abstract Unix address (unix(7)). No file stands for
/// it, so nobody can remove it, and the kernel gives it back however the process ends.
package struct AbstractName: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Takes the name, in the calling thread's network namespace.
    ///
    /// - Parameter name: at most 106 octets.
    /// - Returns: nil when somebody else has it.
    package static func take(_ name: String) throws(SystemError) -> AbstractName? {
        let descriptor = try UnixAddress.socket(name)
        switch unsafe try UnixAddress.apply(Glibc.bind, descriptor, name, isAbstract: true) {
        case nil: return AbstractName(descriptor: descriptor)
        case .EADDRINUSE?: return nil
        case let code?: throw SystemError("take the name", name, code)
        }
    }

    private init(descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
