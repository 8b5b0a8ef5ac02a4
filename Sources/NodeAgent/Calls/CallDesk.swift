import CNIPlugin
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore
import Synchronization

/// The daemon as its own threads ask it that carry out calls: what the node socket is to other processes.
final class CallDesk: OwnDaemon {
    private let responder: Responder
    private let known = Mutex<(stamp: NodeStamp, state: NodeState?)?>(nil)

    init(responder: Responder) { self.responder = responder }

    func nodeState() throws(StoreError) -> NodeState? {
        // The stamp first: what is read after it is at least as new.
        let stamp = try responder.store.nodeStamp()
        if let known = known.withLock({ $0 }), known.stamp == stamp { return known.state }
        let state = try responder.store.nodeState()
        known.withLock { $0 = (stamp, state) }
        return state
    }

    func ask(_ operation: Request.Operation) -> any DaemonAnswer {
        let answer = CallAnswer()
        if case .linkDelete(let endpoint) = operation {
            let own = OwnRemoval(index: endpoint.hostLinkIndex)
            responder.deleteLink(of: endpoint, own: own) { answer.give($0) }
            return RemovalAnswer(endpoint: endpoint, own: own, answer: answer, responder: responder)
        }
        if !responder.answerPromptly(operation, { answer.give($0) }) {
            Task { [responder] in answer.give(await responder.answer(operation)) }
        }
        return answer
    }
}

/// The answer to a deletion, by somebody else or by the one who waits for it.
private struct RemovalAnswer: DaemonAnswer {
    let endpoint: Endpoint
    let own: OwnRemoval
    let answer: CallAnswer
    let responder: Responder

    func wait(until deadline: MonotonicTime) -> Result<JSONObject, RemoteError>? {
        if own.isOpen, let seen = responder.watchLink(of: endpoint, own, until: deadline) {
            return .success(seen.members)
        }
        return answer.wait(until: deadline)
    }
}

/// One answer, given once by one thread and waited for by another.
final class CallAnswer: DaemonAnswer {
    private struct State: ~Copyable, Sendable {
        var result: Result<JSONObject, RemoteError>?
        var wakeUp: WakeUp?
    }

    private let state = Mutex(State())

    /// Gives it.
    func give(_ result: Result<JSONObject, RemoteError>) {
        let wakeUp = state.withLock { state in
            state.result = result
            return state.wakeUp
        }
        wakeUp?.raise()
    }

    func wait(until deadline: MonotonicTime) -> Result<JSONObject, RemoteError>? {
        // Most answers are given at once.
        if let given = state.withLock({ $0.result }) { return given }
        let wakeUp: WakeUp
        do throws(SystemError) {
            if let former = state.withLock({ $0.wakeUp }) { wakeUp = former } else { wakeUp = try WakeUp() }
        } catch {
            return .failure(RemoteError(code: 11, message: "\(error)"))
        }
        let given = state.withLock { state in
            state.wakeUp = wakeUp
            return state.result
        }
        if let given { return given }
        _ = try? Poll.readable([wakeUp.descriptor], until: deadline, name: "an answer")
        return state.withLock { $0.result }
    }
}
