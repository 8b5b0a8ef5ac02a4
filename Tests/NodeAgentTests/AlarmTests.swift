import LinuxOS
import NIOPosix
import NetTypes
import Testing

@testable import NodeAgent

@Suite("An alarm", .timeLimit(.minutes(1)))
struct AlarmTests {
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

    @Test("raises its signal when the time has come, and not before")
    func due() async {
        let signal = Signal()
        var alarm = Alarm(signal, by: eventLoop)
        let start = BootClock.now()
        alarm.set(start + .milliseconds(50), at: start)
        await signal.wait()
        #expect(BootClock.now() - start >= .milliseconds(45))
    }

    @Test("a time that is over has come")
    func over() async {
        let signal = Signal()
        var alarm = Alarm(signal, by: eventLoop)
        let now = BootClock.now()
        alarm.set(now + .seconds(-5), at: now)
        await signal.wait()
    }

    @Test("an earlier time takes the place of a later one, and the other way round")
    func another() async {
        let signal = Signal()
        var alarm = Alarm(signal, by: eventLoop)
        let start = BootClock.now()
        alarm.set(start + .seconds(3600), at: start)
        alarm.set(start + .milliseconds(1), at: start)
        await signal.wait()
        alarm.heard()
        alarm.set(start + .milliseconds(100), at: start)
        alarm.set(start + .milliseconds(200), at: start)
        await signal.wait()
        #expect(BootClock.now() - start >= .milliseconds(195))
    }

    @Test("the same time rings again once it was heard: the event loop's clock may be early")
    func again() async {
        let signal = Signal()
        var alarm = Alarm(signal, by: eventLoop)
        let now = BootClock.now()
        alarm.set(now, at: now)
        await signal.wait()
        alarm.heard()
        alarm.set(now, at: now)
        await signal.wait()
    }
}
