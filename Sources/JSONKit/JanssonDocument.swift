import CJansson
import NetTypes

/// The owner of one jansson document (`json_loadb`, `json_decref`).
///
/// References into the document are borrowed and live only inside `value`, which copies everything out. One thread at a
/// time may use it.
@safe
struct JanssonDocument: ~Copyable {
    /// The seed of jansson's hashes, from the one that Swift has drawn for its own: jansson would open /dev/urandom.
    private static let seed: Void = json_object_seed(Int(bitPattern: UInt(bitPattern: Hasher().finalize()) | 1))

    private let root: UnsafeMutablePointer<json_t>
    /// Whether there is an integer beyond `Int64`, for which all of them were read as numbers with a fraction.
    private let hasLargeInteger: Bool

    /// Parses the bytes.
    /// - Throws: `JSONError` in jansson's words; nothing is left allocated then.
    init(parsing bytes: [UInt8]) throws(JSONError) {
        Self.seed
        let flags = JSON_DECODE_ANY | JSON_ALLOW_NUL
        var fault = json_error_t()
        func load(_ flags: Int32) -> UnsafeMutablePointer<json_t>? {
            // SAFETY: jansson reads `count` bytes at `baseAddress` during the call and keeps no pointer to them.
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe json_loadb(buffer.baseAddress, buffer.count, Int(flags), &fault)
            }
        }
        var loaded = unsafe load(flags)
        // SAFETY: jansson has filled `fault` in.
        hasLargeInteger = unsafe loaded == nil && json_error_code(&fault) == json_error_numeric_overflow
        if hasLargeInteger { unsafe loaded = load(flags | JSON_DECODE_INT_AS_REAL) }
        guard let loaded = unsafe loaded else {
            // SAFETY: jansson has filled in `text` with a NUL-terminated string, whatever the error.
            let message = unsafe withUnsafeBytes(of: &fault.text) { text in
                unsafe String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw JSONError(line: Int(max(fault.line, 0)), column: Int(max(fault.column, 0)), message: message)
        }
        unsafe root = loaded
    }

    deinit {
        // SAFETY: `root` is the one reference that json_loadb gave us.
        unsafe json_decref(root)
    }

    /// A copy of the document.
    var value: JSONValue {
        // SAFETY: `root` lives as long as self.
        unsafe copy(root)
    }

    private func number(_ value: Double) -> JSONValue {
        guard hasLargeInteger, let integer = Int64(exactly: value), integer.magnitude <= 1 << 53 else {
            return .double(value)
        }
        return .int(integer)
    }

    private func copy(_ node: UnsafeMutablePointer<json_t>) -> JSONValue {
        // SAFETY: the caller's node is alive, and so is what it holds: nothing changes the document.
        switch unsafe node.pointee.type {
        case JSON_OBJECT: .object(unsafe copyObject(node))
        case JSON_ARRAY: .array(unsafe copyArray(node))
        case JSON_STRING: .string(unsafe Self.copyText(json_string_value(node), count: json_string_length(node)))
        case JSON_INTEGER: .int(unsafe json_integer_value(node))
        case JSON_REAL: number(unsafe json_real_value(node))
        case JSON_TRUE: .bool(true)
        case JSON_FALSE: .bool(false)
        default: .null
        }
    }

    private func copyObject(_ node: UnsafeMutablePointer<json_t>) -> JSONObject {
        var members: [(String, JSONValue)] = []
        // SAFETY: the iterator is valid while the object is unchanged, and it is; jansson keeps the members' order.
        var iterator = unsafe json_object_iter(node)
        while let place = unsafe iterator {
            if let value = unsafe json_object_iter_value(place) {
                let name = unsafe Self.copyText(json_object_iter_key(place), count: json_object_iter_key_len(place))
                members.append((name, unsafe copy(value)))
            }
            unsafe iterator = json_object_iter_next(node, place)
        }
        return JSONObject(members)
    }

    private func copyArray(_ node: UnsafeMutablePointer<json_t>) -> [JSONValue] {
        var elements: [JSONValue] = []
        // SAFETY: json_array_get answers nil beyond the end; its result is borrowed and copied at once.
        for index in 0..<(unsafe json_array_size(node)) {
            guard let element = unsafe json_array_get(node, index) else { break }
            elements.append(unsafe copy(element))
        }
        return elements
    }

    private static func copyText(_ start: UnsafePointer<CChar>?, count: Int) -> String {
        guard let start = unsafe start else { return "" }
        // SAFETY: jansson holds `count` bytes of checked UTF-8 at `start`; they are copied here.
        return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
