package import NetTypes

/// The answer to `page`: `{"items":[…],"next":2000}`; the last page has no `next`.
package struct PageAnswer: Sendable, Equatable {
    /// The rows, each as its `TableRow` has it.
    package var items: [JSONValue]
    /// Where the next page begins; nil when there is none.
    package var next: Int?

    /// Makes the answer.
    package init(items: [JSONValue], next: Int?) {
        self.items = items
        self.next = next
    }

    /// Reads the members of `ok`.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        let reader = MessageReader(object, of: "page")
        items = try reader.array("items")
        next = object["next"] == nil ? nil : try reader.integer("next")
    }

    /// The members of `ok`.
    package var members: JSONObject {
        var members: JSONObject = ["items": .array(items)]
        if let next { members["next"] = .int(Int64(next)) }
        return members
    }
}
