package import IPAMCore
import NetTypes

/// The alias that marks the host's end of a link as Apus' own, and says whose it is:
/// `apus:<network>:<container id>:<ifname>`. None of the three can hold a colon.
package struct LinkAlias: Sendable, Hashable, CustomStringConvertible {
    /// The longest alias the kernel keeps, in octets (`IFALIASZ` in linux/if.h, less the NUL).
    package static let maximumLength = 255

    /// Whose link it is.
    package let key: AttachmentKey

    /// The alias of this key's link; nil if it were longer than the kernel keeps.
    package init?(_ key: AttachmentKey) {
        self.key = key
        guard description.utf8.count <= Self.maximumLength else { return nil }
    }

    /// Parses an alias; nil for every one that Apus has not made.
    package init?(parsing text: String) {
        let parts = text.parts(separatedBy: ":", omittingEmpty: false).map(String.init)
        guard parts.count == 4, parts[0] == "apus", !parts.contains("") else { return nil }
        self.init(AttachmentKey(network: parts[1], containerID: parts[2], ifName: parts[3]))
    }

    /// The alias.
    package var description: String { "apus:\(key.network):\(key.containerID):\(key.ifName)" }
}
