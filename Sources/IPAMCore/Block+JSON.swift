package import NetTypes

extension Block {
    /// Reads a block file and checks that every ordinal is in exactly one place.
    ///
    /// `{"v":1,"cidr":"10.244.0.0/26","bootID":"…","free":[1,…],"allocated":{"5":{"network":…,"containerID":…,
    /// "ifName":…}},"reserved":[63]}`; `reserved` may be missing.
    /// - Throws: `RecordError`; the file is not one that Apus wrote, or somebody edited it.
    package init(json: JSONValue) throws(RecordError) {
        let reader = try RecordReader(record: json)
        let cidr = try reader.parsed("cidr", expected: "a prefix") { IPPrefix($0) }
        guard cidr.addressCount <= Self.maximumAddressCount else {
            throw .inconsistent("cidr: \(BlockError.tooLarge(cidr))")
        }
        let free = try Self.ordinals(reader.array("free"), path: "free")
        let reserved = try reader.has("reserved") ? Self.ordinals(reader.array("reserved"), path: "reserved") : []
        var allocated: [UInt32: AttachmentKey] = [:]
        for (name, value) in try reader.members("allocated") {
            guard let ordinal = UInt32(name) else {
                throw .invalid("allocated", expected: "ordinals as names", found: "\"\(name)\"")
            }
            // "5" and "05" are two names of one ordinal.
            guard allocated[ordinal] == nil else { throw .inconsistent("allocated: ordinal \(ordinal) twice") }
            allocated[ordinal] = try AttachmentKey(RecordReader(value, path: "allocated.\(name)"))
        }
        try Self.checkPartition(of: cidr, ordinals: free + allocated.keys + reserved)
        self.init(
            cidr: cidr, bootID: try reader.string("bootID"), free: free, allocated: allocated, reserved: Set(reserved))
    }

    /// The block as its file holds it.
    package var json: JSONValue {
        var object: JSONObject = [
            "v": 1,
            "cidr": .string(cidr.description),
            "bootID": .string(bootID),
            "free": .array(free.map { .int(Int64($0)) }),
            "allocated": .object(
                JSONObject(
                    allocated.sorted { $0.key < $1.key }.map { (String($0.key), .object(JSONObject($0.value.members))) }
                )),
        ]
        if !reserved.isEmpty { object["reserved"] = .array(reserved.sorted().map { .int(Int64($0)) }) }
        return .object(object)
    }

    private static func ordinals(_ elements: [JSONValue], path: String) throws(RecordError) -> [UInt32] {
        var ordinals: [UInt32] = []
        for (index, element) in elements.enumerated() {
            guard let number = element.int, let ordinal = UInt32(exactly: number) else {
                throw .invalid(
                    "\(path)[\(index)]", expected: "an ordinal", found: element.int.map(String.init) ?? element.kind)
            }
            ordinals.append(ordinal)
        }
        return ordinals
    }

    private static func checkPartition(of cidr: IPPrefix, ordinals: [UInt32]) throws(RecordError) {
        var seen: Set<UInt32> = []
        for ordinal in ordinals {
            guard UInt64(ordinal) < cidr.addressCount else {
                throw .inconsistent("ordinal \(ordinal) is beyond the end of \(cidr)")
            }
            guard seen.insert(ordinal).inserted else { throw .inconsistent("ordinal \(ordinal) is listed twice") }
        }
        let first = firstOrdinal(of: cidr)
        if first > 0, seen.contains(0) { throw .inconsistent("ordinal 0 is the tunnel's and may not be listed") }
        let lost = (first..<UInt32(cidr.addressCount)).first { !seen.contains($0) }
        if let lost { throw .inconsistent("ordinal \(lost) is neither free nor allocated") }
    }
}

extension AttachmentKey {
    /// Reads the three members of a key.
    init(_ reader: RecordReader) throws(RecordError) {
        self.init(
            network: try reader.string("network"), containerID: try reader.string("containerID"),
            ifName: try reader.string("ifName"))
    }

    /// The three members of a key, in the order records have them.
    package var members: [(String, JSONValue)] {
        [("network", .string(network)), ("containerID", .string(containerID)), ("ifName", .string(ifName))]
    }
}
