import BGPWire
import NetTypes
import Testing

@testable import BGPTable

@Suite struct TablePartsTests {
    @Test("An attribute set is kept once, until its last reference goes; its handle is used again")
    func interning() {
        var table = AttributeTable()
        let set = AttributeSet(attributes: PathAttributes(med: 1), nextHop: NextHop(ownAddress))
        let first = table.intern(set)
        #expect(table.intern(set) == first)
        #expect(table.count == 1)
        let other = table.intern(AttributeSet(attributes: PathAttributes(med: 1), nextHop: nil))
        #expect(other != first)
        table.release(first)
        #expect(table[first] == set)
        table.release(first)
        #expect(table[first] == nil)
        #expect(table.count == 1)
        #expect(table.intern(AttributeSet(attributes: PathAttributes(med: 9), nextHop: nil)) == first)
        #expect(table.fields[first.index].med == 9)
        #expect(table[.none] == nil)
    }

    @Test("The prefix table agrees with a dictionary, whatever comes and goes")
    func prefixTable() {
        var generator = SeededGenerator(state: 4)
        var table = PrefixTable()
        var model: [IPPrefix: UInt32] = [:]
        let some = (0..<700).map { number -> IPPrefix in
            let address: IPAddress =
                number % 3 == 0
                ? .v6(IPv6Address(high: 0xfd00 << 48, low: UInt64(number) << 40))
                : .v4(IPv4Address(rawValue: UInt32(number) << 12))
            return IPPrefix(masking: address, length: number % 3 == 0 ? 90 : 22)
        }
        for _ in 0..<20000 {
            let prefix = some[Int.random(in: some.indices, using: &generator)]
            #expect(table.id(of: prefix) == model[prefix])
            if Bool.random(using: &generator) {
                let id = table.insert(prefix)
                #expect(model.updateValue(id, forKey: prefix) ?? id == id)
                #expect(table.prefix(of: id) == prefix)
            } else if let id = model.removeValue(forKey: prefix) {
                table.remove(id)
            }
            #expect(table.count == model.count)
        }
        #expect(table.sortedIDs() == model.sorted { $0.key < $1.key }.map(\.value))
    }

    @Test("The log finds, trims and squeezes by number")
    func changeLog() {
        var log = ChangeLog()
        let numbers = (0..<3000).map { log.append(UInt32($0)) }
        #expect(log[log.index(from: numbers[1500])].id == 1500)
        for number in numbers[..<2000] { #expect(log.popFirst(below: numbers[2000])?.sequence == number) }
        #expect(log.popFirst(below: numbers[2000]) == nil)
        #expect(log.firstSequence == numbers[2000])
        log.compact { _, id in id % 10 == 0 }
        #expect(log.count == 100)
        #expect(log[log.index(from: numbers[2001])].id == 2010)
        #expect(log.append(7) == numbers[2999] + 1)
        #expect(log.index(from: log.nextSequence) == log.indices.upperBound)
    }

    @Test("A prefix keeps its id while it is there; a free id is given again")
    func prefixIDs() {
        var table = PrefixTable()
        let first = table.insert(prefix("10.0.0.0/8"))
        let second = table.insert(prefix("fd00::/8"))
        #expect(table.insert(prefix("10.0.0.0/8")) == first)
        table.remove(first)
        #expect(table.id(of: prefix("10.0.0.0/8")) == nil)
        #expect(table.insert(prefix("10.0.0.0/9")) == first)
        #expect(table.prefix(of: second) == prefix("fd00::/8"))
        #expect(table.count == 2)
        #expect(table.sortedIDs() == [first, second])
    }
}
