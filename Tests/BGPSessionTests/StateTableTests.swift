import BGPSession
import Testing

/// What each state does about each event: `event: state after | effects`. `+` starts a timer and `-` stops it.
enum StateTable {
    /// One cell's text; nil if the table lacks it.
    static func cell(_ row: StateRow, _ column: EventColumn) -> String? {
        let text = early[row] ?? late[row] ?? ""
        let prefix = "\(column.rawValue): "
        return text.split(separator: "\n").first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }
}

@Suite("FSM, state by event")
struct StateTableTests {
    @Test("every state answers every event as the table says", arguments: StateRow.allCases, EventColumn.allCases)
    func cell(row: StateRow, column: EventColumn) throws {
        let expected = try #require(StateTable.cell(row, column), "no cell for \(row) and \(column)")
        var driver = row.driver
        column.apply(to: &driver)
        #expect(Notation.line(driver) == expected)
    }

    @Test("the table has no cell that no event reaches")
    func noExtraCells() {
        let lines = StateRow.allCases.flatMap { row in
            (StateTable.early[row] ?? StateTable.late[row] ?? "").split(separator: "\n")
        }
        #expect(lines.count == StateRow.allCases.count * EventColumn.allCases.count)
    }

    @Test("an event that changes the state says so last, and only then", arguments: StateRow.allCases)
    func changedState(row: StateRow) {
        for column in EventColumn.allCases {
            var driver = row.driver
            let before = driver.state
            column.apply(to: &driver)
            let changes = driver.effects.compactMap { effect -> SessionStateName? in
                if case .changedState(let name) = effect { name } else { nil }
            }
            #expect(changes == (driver.state == before ? [] : [driver.state]), "\(column)")
            if let name = changes.first { #expect(driver.effects.last == .changedState(name)) }
        }
    }

    @Test("no state keeps a timer of a connection that it closed", arguments: StateRow.allCases)
    func timersFollowConnections(row: StateRow) {
        for column in EventColumn.allCases {
            var driver = row.driver
            column.apply(to: &driver)
            let closed = driver.effects.compactMap { effect -> ConnectionID? in
                if case .close(let id) = effect { id } else { nil }
            }
            for id in closed {
                #expect(driver.timers[.hold(id)] == nil, "\(column)")
                #expect(driver.timers[.keepalive(id)] == nil, "\(column)")
                #expect(driver.timers[.sendHold(id)] == nil, "\(column)")
                #expect(driver.timers[.delayOpen(id)] == nil, "\(column)")
            }
        }
    }
}
