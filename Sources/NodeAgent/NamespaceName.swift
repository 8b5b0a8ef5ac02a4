import LinuxOS
import Netlink

/// A name of the network namespace that one daemon has at a time, whoever else binds it.
///
/// An abstract Unix address is anybody's to take, and asks nobody for rights. So a name keeps a daemon off only where
/// its socket is root's; where it is another's the daemon takes a name beside it that nobody can foretell, and looks
/// whether root has one of those too.
struct NamespaceName: ~Copyable, Sendable {
    /// Somebody who has the name, or one beside it.
    struct Holder: Sendable, Hashable, CustomStringConvertible {
        let name: UnixName

        /// Who it is, as far as the kernel shows it.
        var description: String {
            let process = SocketHolder.find(socketInode: String(name.inode))
            return "\(process?.description ?? "a process that /proc does not show") of user "
                + (name.userID.map(String.init) ?? "unknown")
        }
    }

    /// What an attempt came to.
    enum Attempt: ~Copyable {
        /// The name is taken.
        case taken(NamespaceName)
        /// Another daemon has it; nil where the kernel does not say who.
        case refused(by: Holder?)
    }

    /// Who had the name and had no right to keep a daemon off.
    let squatter: Holder?
    private let name: AbstractName

    private init(squatter: Holder?, name: consuming AbstractName) {
        self.squatter = squatter
        self.name = name
    }

    /// Tries to take the name, in the calling thread's network namespace.
    ///
    /// - Parameter base: the name; those beside it begin with it and a dot.
    /// - Throws: what the kernel refuses for other reasons than that somebody has the name.
    static func take(_ base: String) throws -> Attempt {
        if let taken = try AbstractName.take(base) {
            // One that began while another user had the name has one beside it.
            if let rival = rival(of: base, besides: base) { return .refused(by: rival) }
            return .taken(NamespaceName(squatter: nil, name: taken))
        }
        // Where the kernel does not say whose it is, it counts as a daemon's.
        guard let holder = holders(of: base).first(where: { $0.name.name == base }), let user = holder.name.userID,
            user != 0
        else { return .refused(by: rival(of: base, besides: "")) }
        let beside = "\(base).\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        guard let taken = try AbstractName.take(beside) else { return .refused(by: nil) }
        if let rival = rival(of: base, besides: beside) { return .refused(by: rival) }
        return .taken(NamespaceName(squatter: holder, name: taken))
    }

    /// Root's socket of that name, or of one beside it.
    private static func rival(of base: String, besides own: String) -> Holder? {
        holders(of: base).first { $0.name.name != own && $0.name.userID == 0 }
    }

    /// None where the kernel does not tell.
    private static func holders(of base: String) -> [Holder] {
        ((try? UnixName.all()) ?? []).filter { $0.name == base || $0.name.hasPrefix("\(base).") }.map {
            Holder(name: $0)
        }
    }
}
