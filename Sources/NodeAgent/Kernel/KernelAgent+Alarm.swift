import LinuxOS
import NIOCore
import NetTypes

// What was put off, because somebody keeps altering it, is mended when its time has come.
extension KernelAgent {
    /// Mends what was put off, each thing when it is due, until cancelled. The upkeep would be up to a second late.
    func runMending(by eventLoop: any EventLoop) async {
        let due = Signal()
        alarm = Alarm(due, by: eventLoop)
        setAlarm()
        await due.forEach {
            alarm?.heard()
            mendDue(at: BootClock.now())
            setAlarm()
        }
        alarm?.set(nil, at: BootClock.now())
        alarm = nil
    }

    /// Has this actor woken when the first of what was put off is due. Called after whatever may put something off.
    func setAlarm() {
        let due = [filter.due, settings.due, tunnels.settingsDue, podLinks.due, offloadPace.due]
        alarm?.set(due.compactMap(\.self).min(), at: BootClock.now())
    }
}
