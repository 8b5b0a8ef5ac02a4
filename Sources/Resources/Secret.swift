/// Where a password is kept (`secretKeyRef`): in file mode the file `secrets/NAME/KEY` beside the resources.
package struct SecretReference: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The Secret's name.
    package var name: String
    /// The key within the Secret.
    package var key: String

    /// Joins the two.
    package init(name: String, key: String) {
        self.name = name
        self.key = key
    }

    /// `NAME/KEY`, which is the path below `secrets`.
    package var description: String { "\(name)/\(key)" }

    package static func < (left: SecretReference, right: SecretReference) -> Bool {
        (left.name, left.key) < (right.name, right.key)
    }
}

/// A password. It shows itself to nobody: its text, in whatever way it is printed, is `(secret)`.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The octets as TCP-MD5 takes them.
    package let bytes: [UInt8]

    /// Keeps a password.
    package init(bytes: [UInt8]) { self.bytes = bytes }

    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretReference {
    /// The longest key that TCP-MD5 takes, in octets (TCP_MD5SIG_MAXKEYLEN of linux/tcp.h).
    package static let maximumLength = 80

    /// Reads `password: {secretKeyRef: {name: …, key: …}}`; nil when it is absent, or refused.
    static func read(_ key: String, _ reader: inout FieldReader) -> SecretReference? {
        let reference = reader.mapping(key) { password -> SecretReference? in
            guard password.has("secretKeyRef") else {
                password.refuse("secretKeyRef", "required, but absent")
                return nil
            }
            return password.mapping("secretKeyRef") { reference -> SecretReference? in
                let name = reference.required("name", as: FieldValue.fileName)
                let key = reference.required("key", as: FieldValue.fileName)
                reference.skip(["optional"])
                guard let name, let key else { return nil }
                return SecretReference(name: name, key: key)
            } ?? nil
        }
        return reference ?? nil
    }
}

extension FieldValue {
    /// A name that is one part of a path and stays below where it is looked for.
    static func fileName(_ node: DocumentNode) throws(FieldError) -> String {
        func isAllowed(_ octet: UInt8) -> Bool {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard let text = node.text, (1...253).contains(text.utf8.count), !text.hasPrefix("."),
            text.utf8.allSatisfy(isAllowed)
        else { throw FieldError(reason: "expected a name of letters, digits, -, . and _, found \(node.kind)") }
        return text
    }
}
