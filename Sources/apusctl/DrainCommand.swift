import ArgumentParser
import CommandKit
import NodeLink

/// `apusctl node drain`
struct NodeDrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Makes this node the last choice of its BGP peers (RFC 8326), before it goes.",
        discussion: "What the node announces bears the community GRACEFUL_SHUTDOWN and, inside the AS, LOCAL_PREF 0. "
            + "It lasts over restarts and boots, until `apusctl node undrain`.")

    @ParentCommand var node: NodeCommand
    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        _ = try DaemonQuestion(root.daemon, node.daemon, daemon).ask(.drain(true))
        try StandardOutput.write("The node is drained.\n")
    }
}

/// `apusctl node undrain`
struct NodeUndrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Takes `drain` back: the node is announced as usual.")

    @ParentCommand var node: NodeCommand
    @ParentCommand var root: ApusCtl
    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        _ = try DaemonQuestion(root.daemon, node.daemon, daemon).ask(.drain(false))
        try StandardOutput.write("The node is no longer drained.\n")
    }
}
