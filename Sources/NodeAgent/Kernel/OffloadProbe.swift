import LinuxOS
import NIOCore
import NIOPosix
import NetTypes

/// Tries connections through a tunnel. They wait on an event loop, and hold up nobody.
struct OffloadProbe: Sendable {
    /// Closed inside the tunnel: the daemon listens at the nodes' own addresses alone. Firewalls between nodes let it pass.
    private static let port: UInt16 = 179
    /// Less than the time after which the kernel sends a second SYN (RFC 6298 §2: 1 s): each connection is one packet.
    private static let patience = TimeAmount.milliseconds(950)

    let eventLoop: any EventLoop

    /// Tries one connection. A cancelled task does not wait for it.
    func run(_ attempt: OffloadPlan.Attempt) async -> OffloadTrial.Outcome {
        let outcome = eventLoop.makePromise(of: OffloadTrial.Outcome.self)
        do {
            let local = try SocketAddress(ipAddress: attempt.local, port: 0)
            let remote = try SocketAddress(ipAddress: attempt.peer, port: Self.port)
            ClientBootstrap(group: eventLoop).connectTimeout(Self.patience).bind(to: local).connect(to: remote)
                .whenComplete { result in
                    if case .success(let channel) = result { channel.close(promise: nil) }
                    outcome.succeed(Self.outcome(of: result))
                }
        } catch {
            outcome.succeed(.impossible)
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                outcome.futureResult.whenComplete { waiter.resume(returning: (try? $0.get()) ?? .impossible) }
            }
        } onCancel: {
            // Of two results the first counts.
            outcome.succeed(.impossible)
        }
    }

    private static func outcome(of result: Result<any Channel, any Error>) -> OffloadTrial.Outcome {
        switch result {
        case .success: .answered
        case .failure(ChannelError.connectTimeout): .silent
        case .failure(let error as IOError) where SystemErrorCode(rawValue: error.errnoCode) == .ECONNREFUSED: .answered
        case .failure(let error as IOError) where SystemErrorCode(rawValue: error.errnoCode) == .ETIMEDOUT: .silent
        case .failure: .impossible
        }
    }
}
