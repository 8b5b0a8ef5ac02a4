import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import Netlink
import NodeLink
import NodeStore
import PodPlan

extension CNIError {
    /// The error as the runtime is to see it: this is where every module's error gets its code.
    init(_ error: any Error) {
        switch error {
        case let error as CNIError: self = error
        case let error as RemoteError:
            self.init(CNIErrorCode(rawValue: error.code), error.message)
        case let error as StoreError: self.init(error)
        case let error as NodeLinkError: self.init(.tryAgainLater, error.description)
        case let error as PodPlanError: self.init(error)
        case let error as ModeError: self.init(.unsupportedField, "mode: \(error)")
        case let error as NetlinkError: self.init(.failed, error.description)
        case let error as SystemError: self.init(.failed, error.description)
        default: self.init(.failed, "\(error)")
        }
    }

    private init(_ error: PodPlanError) {
        switch error {
        case .nameTaken: self.init(.ownershipConflict, error.description)
        case .mtuTooSmall, .routeTaken: self.init(.invalidConfig, error.description)
        }
    }

    private init(_ error: StoreError) {
        switch error {
        case .lockTimeout: self.init(.tryAgainLater, error.description)
        case .system, .corrupt, .unfit: self.init(.inputOutput, error.description)
        }
    }
}
