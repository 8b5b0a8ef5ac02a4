import JSONKit
import NodeLink

extension Responder {
    /// The resources in force, which may be others than the files hold now.
    func resources() async -> [ResourceRow] {
        await controller.resources.map { identity, file, document in
            let parts = identity.split(separator: "/", maxSplits: 1).map(String.init)
            // A row must fit into a message.
            let text = document.flatMap { $0.utf8.count > ListPages.pageBytes ? nil : $0 }
            return ResourceRow(
                kind: parts[0], name: parts.last ?? "", file: file, document: text.flatMap { try? JSONText.parse($0) })
        }
    }
}
