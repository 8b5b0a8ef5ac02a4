package import LinuxOS

/// What was asked of the kernel.
package enum NetlinkOperation: String, Sendable, Hashable {
    case socketOpen, send, receive
    case linkGet, linkList, linkCreate, linkSet, linkDelete
    case addressList, addressAdd, addressDelete
    case routeList, routeGet, routeAdd, routeReplace, routeDelete, routeChange
    case nextHopList, nextHopAdd, nextHopDelete
    case neighbourList, neighbourSet, neighbourDelete
    case fdbList, fdbSet, fdbDelete
    case proxyDelaySet
    case connectionsDelete
    case socketList
    case ruleList
}

/// A request the kernel refused, or a socket that failed.
package struct NetlinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was asked.
    package let operation: NetlinkOperation
    /// On what: `10.1.0.0/26 via 192.168.1.2 dev if3 proto 97`.
    package let object: String
    /// The kernel's error number.
    package let code: SystemErrorCode
    /// The kernel's own words (NLMSGERR_ATTR_MSG), when it had any.
    package let kernelMessage: String?

    /// Makes an error of its parts.
    package init(
        _ operation: NetlinkOperation, _ object: String, _ code: SystemErrorCode, kernelMessage: String? = nil,
    ) {
        self.operation = operation
        self.object = object
        self.code = code
        self.kernelMessage = kernelMessage
    }

    /// Whether answers were lost because the receive buffer was full: what became of the requests is unknown, and
    /// only a dump can tell.
    package var isOverrun: Bool { operation == .receive && code == .ENOBUFS }

    /// `routeAdd 10.1.0.0/26 …: File exists`, and the kernel's own words in brackets.
    package var description: String {
        let text = "\(operation.rawValue) \(object): \(code)"
        return kernelMessage.map { "\(text) (\($0))" } ?? text
    }
}

/// One request of a batch that the kernel refused.
package struct NetlinkFailure: Sendable, Hashable {
    /// The place of the request in the batch, from 0.
    package let index: Int
    /// The answer.
    package let error: NetlinkError

    /// Joins the parts.
    package init(index: Int, error: NetlinkError) {
        self.index = index
        self.error = error
    }
}
