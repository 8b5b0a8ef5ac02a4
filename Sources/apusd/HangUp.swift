import Logging
import ServiceLifecycle
import UnixSignals

/// Hears SIGHUP, by which other daemons are told to read their configuration again. The files are followed without it,
/// and what the signal does to a process that does not hear it is the end.
struct HangUp: Service {
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            logger.info("SIGHUP: nothing to do, the configuration is followed")
        }
    }
}
