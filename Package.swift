// swift-tools-version: 6.2
import PackageDescription

// The layers of docs/design/layers.md, lowest first. A target may depend on its own row of the table and on nothing
// else: the compiler holds it to that (`--explicit-target-dependency-import-check error`), and `hack/lint` holds the
// import lines and this manifest to the table.

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .executable(name: "apusd", targets: ["apusd"]),
        .executable(name: "apusctl", targets: ["apusctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // C
        .systemLibrary(
            name: "CLibNL", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-3-dev", "libnl-route-3-dev"])]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CLibNFTables", pkgConfig: "libnftables", providers: [.apt(["libnftables-dev"])]),
        .target(name: "CLinuxShim"),
        .target(name: "CCallHandover"),
        .target(name: "CStartUp", dependencies: ["CCallHandover"]),
        // L0
        library("NetTypes"),
        // L1: pure cores
        library("BGPWire", ["NetTypes"]),
        library("BGPSession", ["NetTypes", "BGPWire"]),
        library("BGPTable", ["NetTypes", "BGPWire"]),
        library("BFD", ["NetTypes"]),
        library("CNISpec", ["NetTypes"]),
        library("IPAMCore", ["NetTypes"]),
        library("Resources", ["NetTypes"]),
        library("ModePlugins", ["NetTypes", "Resources"]),
        library("PodPlan", ["NetTypes", "CNISpec", "IPAMCore"]),
        // L2: owners of things of the operating system
        library("LinuxOS", ["CLinuxShim", "NetTypes"]),
        library("Netlink", ["CLibNL", "LinuxOS", "NetTypes"]),
        library("JSONKit", ["CJansson", "NetTypes"]),
        library("NodeLink", ["CCallHandover", "LinuxOS", "JSONKit", "NetTypes"]),
        library("NodeStore", ["LinuxOS", "JSONKit", "IPAMCore", "NetTypes"]),
        library("PodLinks", ["IPAMCore", "LinuxOS", "NetTypes", "Netlink", "PodPlan"]),
        library("Netfilter", ["CLibNFTables", "LinuxOS", "NetTypes"]),
        library("Dataplane", ["Netlink", "LinuxOS", "NetTypes"]),
        // L3: programs
        library(
            "CNIPlugin",
            [
                "CCallHandover", "CNISpec", "IPAMCore", "JSONKit", "LinuxOS", "ModePlugins", "Netlink", "NetTypes",
                "NodeLink", "NodeStore", "PodLinks", "PodPlan",
            ]),
        program("apus", ["CNIPlugin", "CStartUp"]),
        library(
            "NodeAgent",
            [
                "BFD", "BGPSession", "BGPTable", "BGPWire", "CNIPlugin", "Dataplane", "IPAMCore", "JSONKit", "LinuxOS",
                "ModePlugins", "NetTypes", "Netfilter", "Netlink", "NodeLink", "NodeStore", "PodLinks", "PodPlan",
                "Resources",
                lifecycle, log, yams,
            ] + nio),
        library("CommandKit", ["LinuxOS", arguments]),
        program("apusd", ["CommandKit", "NodeAgent", arguments, lifecycle, log, signals]),
        program(
            "apusctl",
            [
                "CommandKit", "IPAMCore", "JSONKit", "LinuxOS", "NetTypes", "Netlink", "NodeLink", "NodeStore",
                "PodLinks", "PodPlan", arguments,
            ]),
        // Never shipped
        .target(
            name: "TestKit", dependencies: ["CLinuxShim", "LinuxOS", "NetTypes"], path: "Tests/TestKit",
            swiftSettings: strict),
        tests("NetTypesTests", ["NetTypes"]),
        tests("BGPWireTests", ["BGPWire", "NetTypes"]),
        tests("BGPSessionTests", ["BGPSession", "BGPWire", "NetTypes"]),
        tests("BGPTableTests", ["BGPTable", "BGPWire", "NetTypes"]),
        tests("BFDTests", ["BFD", "NetTypes"]),
        tests("CNISpecTests", ["CNISpec", "NetTypes"]),
        tests("IPAMCoreTests", ["IPAMCore", "NetTypes"]),
        tests("ResourcesTests", ["Resources", "NetTypes"]),
        tests("ModePluginsTests", ["ModePlugins", "Resources", "NetTypes"]),
        tests("PodPlanTests", ["PodPlan", "CNISpec", "IPAMCore", "NetTypes"]),
        tests("LinuxOSTests", ["LinuxOS", "NetTypes", "TestKit"]),
        tests("NetlinkTests", ["Netlink", "LinuxOS", "NetTypes", "TestKit"]),
        tests("JSONKitTests", ["JSONKit", "NetTypes"]),
        tests("NodeLinkTests", ["NodeLink", "LinuxOS", "JSONKit", "NetTypes"]),
        tests("NodeStoreTests", ["NodeStore", "IPAMCore", "LinuxOS", "JSONKit", "NetTypes", "TestKit"]),
        tests("PodLinksTests", ["PodLinks", "IPAMCore", "LinuxOS", "NetTypes", "Netlink", "PodPlan", "TestKit"]),
        tests("NetfilterTests", ["Netfilter", "LinuxOS", "NetTypes", "TestKit"]),
        tests("DataplaneTests", ["Dataplane", "Netlink", "LinuxOS", "NetTypes", "TestKit"]),
        tests(
            "CNIPluginTests",
            [
                "CCallHandover", "CNIPlugin", "CNISpec", "IPAMCore", "JSONKit", "LinuxOS", "ModePlugins", "Netlink",
                "NetTypes", "NodeLink", "NodeStore", "PodLinks", "PodPlan", "TestKit",
            ]),
        tests(
            "NodeAgentTests",
            [
                "NodeAgent", "BGPSession", "BGPTable", "BGPWire", "Dataplane", "IPAMCore", "JSONKit", "LinuxOS",
                "ModePlugins", "NetTypes", "Netfilter", "Netlink", "NodeLink", "NodeStore", "Resources", "TestKit", log,
            ] + nio),
        tests("CommandKitTests", ["CommandKit", "LinuxOS", arguments]),
        tests("apusctlTests", ["apusctl", "IPAMCore", "LinuxOS", "NetTypes", "Netlink", "NodeLink", "NodeStore"]),
    ],
    swiftLanguageModes: [.v6],
)
