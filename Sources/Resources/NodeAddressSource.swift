package import NetTypes

/// Where a node's address of one family comes from: IP and IP6, with their autodetection methods, as Calico's node has
/// them in its environment.
package enum NodeAddressSource: Sendable, Hashable {
    /// The Node resource says; where it does not, IPv4 is detected by the method.
    case resource(AddressDetection)
    /// It is detected, whatever the Node resource says, and followed when it changes.
    case detected(AddressDetection)
    /// It is this one.
    case fixed(Node.Address)
    /// The node has no address of the family.
    case none

    /// What could not be read.
    package struct Refusal: Error, CustomStringConvertible {
        /// The variable, its value, and what was expected.
        package let description: String
    }

    /// Reads the two variables of one family.
    ///
    /// - Throws: when one of them has another value than those that Calico knows.
    package init(_ family: AddressFamily, environment: [String: String]) throws(Refusal) {
        let name = family == .ipv4 ? "IP" : "IP6"
        let method = environment["\(name)_AUTODETECTION_METHOD"] ?? ""
        guard let detection = AddressDetection(method.isEmpty ? "first-found" : method) else {
            throw Refusal(
                description: "\(name)_AUTODETECTION_METHOD=\(method): expected first-found, interface=REGEX,…, "
                    + "skip-interface=REGEX,…, can-reach=ADDRESS, cidr=NETWORK,… or kubernetes-internal-ip")
        }
        switch environment[name] ?? "" {
        case "": self = .resource(detection)
        case "autodetect": self = detection == .internalIP ? .resource(detection) : .detected(detection)
        case "none": self = .none
        case let text:
            guard let address = Self.address(text), address.address.family == family else {
                throw Refusal(
                    description: "\(name)=\(text): expected autodetect, none or an \(family.title) address")
            }
            if let problem = address.problem {
                throw Refusal(description: "\(name)=\(text) is no address that a node can have: \(problem)")
            }
            self = .fixed(address)
        }
    }

    private static func address(_ text: String) -> Node.Address? {
        if let alone = IPAddress(text) { return Node.Address(alone) }
        return CIDRAddress(text).map { Node.Address($0.address, length: $0.length) }
    }

    /// The method by which a node that has `configured` looks for another address; nil when it does not look.
    package func detection(_ family: AddressFamily, configured: Node.Address?) -> AddressDetection? {
        switch self {
        case .detected(let detection): detection
        case .resource(let detection): configured == nil && family == .ipv4 ? detection : nil
        case .fixed, .none: nil
        }
    }
}

extension ClusterConfiguration {
    /// The configuration with another address of one family for one node.
    package func replacing(_ family: AddressFamily, of name: String, by address: Node.Address?) -> ClusterConfiguration
    {
        var copy = self
        for index in copy.nodes.indices where copy.nodes[index].name == name {
            if family == .ipv4 { copy.nodes[index].ipv4 = address } else { copy.nodes[index].ipv6 = address }
        }
        return copy
    }
}
