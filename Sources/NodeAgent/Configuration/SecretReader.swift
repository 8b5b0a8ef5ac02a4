import LinuxOS
import Resources

/// Reads the passwords that resources name: the file `secrets/NAME/KEY` beside them, for its owner's eyes alone.
struct SecretReader: Sendable {
    /// Where the resources are.
    let directory: String

    /// Where a Secret's keys are, for those who watch them.
    func directory(of reference: SecretReference) -> String { "\(directory)/secrets/\(reference.name)" }

    /// Puts the passwords into the configuration. One that is not to be had is a finding, and refuses what names it.
    func complete(_ decoded: inout DecodedResources) {
        for (reference, resource, field) in decoded.configuration.secretReferences {
            switch read(reference) {
            case .success(let secret): decoded.configuration.secrets[reference] = secret
            case .failure(let error):
                decoded.diagnostics.append(
                    Diagnostic(
                        .error, file: "secrets/\(reference)", resource: resource, field: field, reason: error.reason))
            }
        }
    }

    private func read(_ reference: SecretReference) -> Result<Secret, SecretFailure> {
        let path = "\(directory(of: reference))/\(reference.key)"
        var bytes: [UInt8]
        do throws(SystemError) {
            if let mode = try FileStatus.of(path)?.permissions, mode & 0o077 != 0 {
                let mode = String(mode, radix: 8)
                return .failure(SecretFailure(reason: "mode 0\(mode): others may read it; chmod 0600"))
            }
            bytes = try Files.readThroughLinks(path, limit: SecretReference.maximumLength + 1)
        } catch {
            return .failure(SecretFailure(reason: "cannot be read: \(error.readingProblem)"))
        }
        // A line's end is the editor's.
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard (1...SecretReference.maximumLength).contains(bytes.count) else {
            return .failure(
                SecretFailure(reason: "expected 1 to \(SecretReference.maximumLength) octets, found \(bytes.count)"))
        }
        return .success(Secret(bytes: bytes))
    }
}

/// Why a password is not to be had.
private struct SecretFailure: Error {
    let reason: String
}
