import NetTypes

/// The CNI_* variables of one call, valid for its command.
package struct CNIEnvironment: Sendable, Equatable {
    /// What is asked.
    package let command: CNICommand
    /// CNI_CONTAINERID; empty for a command without an attachment.
    package let containerID: String
    /// CNI_IFNAME, the name of the link in the container; empty for a command without an attachment.
    package let ifName: String
    /// CNI_NETNS, the path of the network namespace, verbatim; empty if DEL comes after the namespace is gone.
    package let netns: String
    /// CNI_ARGS.
    package let arguments: CNIArguments
    private let pathList: String
    /// Whether CNI_NETNS may be the plugin's own namespace (CNI_NETNS_OVERRIDE).
    package let allowsOwnNetns: Bool

    /// The directories of CNI_PATH.
    package var pluginPath: [String] { pathList.parts(separatedBy: ":").map(String.init) }

    /// Reads the variables. VERSION validates nothing but the command: runtimes send it with placeholders.
    ///
    /// - Parameter variable: the value of a variable; nil when it is not set.
    /// - Throws: error 4 that names every missing variable at once, or the first that is invalid with its value.
    package init(_ variable: (String) -> String?) throws(CNIError) {
        let name = variable("CNI_COMMAND") ?? ""
        guard let command = CNICommand(rawValue: name) else {
            throw CNIError(
                .invalidEnvironment,
                name.isEmpty ? "CNI_COMMAND is not set" : "CNI_COMMAND: unknown command \"\(name)\"",
                details: "known: " + CNICommand.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.command = command
        pathList = variable("CNI_PATH") ?? ""
        let override = variable("CNI_NETNS_OVERRIDE") ?? ""
        allowsOwnNetns = ["1", "t", "true"].contains(override.lowercased())
        let required = Self.required(by: command)
        let missing = required.filter { (variable($0) ?? "").isEmpty }
        guard missing.isEmpty else {
            throw CNIError(
                .invalidEnvironment, "\(name): required variables are missing: " + missing.joined(separator: ", "))
        }
        guard required.contains("CNI_CONTAINERID") else {
            (containerID, ifName, netns) = ("", "", "")
            arguments = try CNIArguments("")
            return
        }
        containerID = variable("CNI_CONTAINERID") ?? ""
        ifName = variable("CNI_IFNAME") ?? ""
        netns = variable("CNI_NETNS") ?? ""
        guard Self.isIdentifier(containerID) else {
            throw CNIError(
                .invalidEnvironment,
                "CNI_CONTAINERID: only letters, digits, '.', '_' and '-', the first a letter or digit",
                details: containerID)
        }
        if let fault = Self.fault(ofIfName: ifName) {
            throw CNIError(.invalidEnvironment, "CNI_IFNAME: \(fault)", details: ifName)
        }
        // A DEL must not fail for arguments that it has no use for.
        let text = variable("CNI_ARGS") ?? ""
        arguments = try command == .delete ? Self.lenientArguments(text) : CNIArguments(text)
    }

    /// The variables that a command cannot do without.
    private static func required(by command: CNICommand) -> [String] {
        switch command {
        case .add, .check: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"]
        case .delete: ["CNI_CONTAINERID", "CNI_IFNAME"]
        case .collectGarbage, .status: ["CNI_PATH"]
        case .version: []
        }
    }

    private static func lenientArguments(_ text: String) throws(CNIError) -> CNIArguments {
        guard !text.isEmpty else { return try CNIArguments("") }
        let items = text.parts(separatedBy: ";").filter { $0.utf8.contains(UInt8(ascii: "=")) }
        return try CNIArguments(items.joined(separator: ";"))
    }

    /// Whether the text may name a container or a network: `[A-Za-z0-9][A-Za-z0-9_.-]*`.
    package static func isIdentifier(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default:
                false
            }
        }
        guard let first = text.utf8.first, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || [0x2d, 0x2e, 0x5f].contains($0) }
    }

    /// Why the text cannot name a link; nil if it can. The rules are the kernel's `dev_valid_name` and libcni's.
    private static func fault(ofIfName name: String) -> String? {
        // The last two are directories beside those of the links in /proc/sys/net/ipv4/conf.
        if [".", "..", "all", "default"].contains(name) { return "\"\(name)\" is no link name" }
        // What stands in place of octets that are no UTF-8: the link would get another name than the one that was meant.
        if name.unicodeScalars.contains("\u{FFFD}") { return "not UTF-8" }
        // The kernel takes it for the place of a number (dev_alloc_name).
        if name.utf8.contains(UInt8(ascii: "%")) { return "'%' is not allowed" }
        if name.utf8.count > 15 { return "longer than 15 bytes" }
        let isFault: (Unicode.Scalar) -> Bool = { scalar in
            guard scalar.isASCII else { return scalar.properties.isWhitespace }
            return scalar == "/" || scalar == ":" || scalar == " " || ("\t"..."\r").contains(scalar)
        }
        if name.unicodeScalars.contains(where: isFault) {
            return "'/', ':' and white space are not allowed"
        }
        return nil
    }
}
