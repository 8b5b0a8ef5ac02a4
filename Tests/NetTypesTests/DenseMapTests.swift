import NetTypes
import Testing

@Suite("Dense maps")
struct DenseMapTests {
    @Test("A map answers as a dictionary does, whatever is added and removed", arguments: 1...20)
    func agreesWithDictionary(seed: UInt64) throws {
        var random = seed
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        func anyPrefix() -> IPPrefix {
            let length = UInt8(next(3) + 24)
            if next(2) == 0 {
                return IPPrefix(masking: .v4(IPv4Address(rawValue: UInt32(next(40)) << 8)), length: length)
            }
            return IPPrefix(masking: .v6(IPv6Address(high: next(40) << 38, low: 0)), length: length)
        }
        var map = DenseMap<IPPrefix, UInt64>()
        var model: [IPPrefix: UInt64] = [:]
        for _ in 0..<2000 {
            let (prefix, value) = (anyPrefix(), next(1000))
            switch next(5) {
            case 0, 1:
                map[prefix] = value
                model[prefix] = value
            case 2:
                map[prefix, default: 7] += value
                model[prefix, default: 7] += value
            case 3:
                #expect(map.removeValue(forKey: prefix) == model.removeValue(forKey: prefix))
            default:
                map[prefix] = nil
                model[prefix] = nil
            }
            #expect(map[prefix] == model[prefix])
            #expect(map.count == model.count && map.isEmpty == model.isEmpty)
        }
        #expect(Dictionary(uniqueKeysWithValues: zip(map.keys, map.values)) == model)
        #expect(model.allSatisfy { map[$0.key] == $0.value })
    }
}
