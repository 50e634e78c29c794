// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is built the same way: Swift 6 mode, strict memory safety, every warning an error.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // An async function runs where its caller runs: a step that waits for nothing costs no thread hop.
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A Swift wrapper in `Sources/System` around one C library, and the system-library target that only it may import.
func wrapper(_ name: String, around library: String) -> [Target] {
  [
    .systemLibrary(name: library, path: "Sources/System/\(library)"),
    .target(name: name, dependencies: [.byName(name: library)], path: "Sources/System/\(name)", swiftSettings: strict),
  ]
}

func target(_ name: String, uses dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A cloud: its folder in `Sources/Providers` is a target of its own, which imports no other cloud.
func cloud(
  _ name: String, in folder: String, uses further: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: ["Runbook", "ProviderKit"] + further, path: "Sources/Providers/\(folder)",
    resources: resources, swiftSettings: strict)
}

let clouds = [
  cloud("VPSOrgCloud", in: "VPSOrg"),
  cloud("ZomroCloud", in: "Zomro", uses: ["Crypto"]),
  cloud("ZStackCloud", in: "ZStack", uses: ["Crypto"]),
  cloud(
    "DeclaredClouds", in: "Declared",
    resources: [.embedInCode("Shipped/hetzner.yaml"), .embedInCode("Shipped/digitalocean.yaml")]),
]
let everyCloud: [Target.Dependency] = clouds.map { .byName(name: $0.name) }
let cloudFolders = clouds.compactMap { $0.path?.split(separator: "/").last }.map { String($0) }

/// `data`: folders of files that tests read where they lie.
func tests(of name: String, uses dependencies: [Target.Dependency] = [], data: [String] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies, exclude: data,
    swiftSettings: strict)
}

let package = Package(
  name: "runbook",
  products: [.executable(name: "runbook", targets: ["CommandLine"])],
  targets: wrapper("YAML", around: "CYAML")
    + wrapper("SQLite", around: "CSQLite")
    + wrapper("HTTPClient", around: "CCurl")
    + wrapper("HTTPServer", around: "CMicroHTTPD")
    + wrapper("Posix", around: "CPosix")
    + wrapper("Crypto", around: "CCrypto")
    + [
      target("Runbook", uses: ["YAML"]),
      .target(
        name: "Steps", dependencies: ["Runbook", "Posix"],
        resources: [
          .embedInCode("SSH/Remote/keeper.sh"), .embedInCode("SSH/Remote/remote.sh"),
          .embedInCode("SSH/Remote/places.sh"), .embedInCode("SSH/Remote/leftovers.sh"),
          .embedInCode("SSH/Remote/copy.sh"),
        ],
        swiftSettings: strict),
      .target(
        name: "ProviderKit", dependencies: ["Runbook"], path: "Sources/Providers/Kit", swiftSettings: strict),
    ] + clouds + [
      .target(
        name: "Providers", dependencies: ["Runbook"] + everyCloud, exclude: ["Kit"] + cloudFolders,
        sources: ["StandardProviders.swift"], swiftSettings: strict),
      target("Operations", uses: ["Runbook"]),
      target("Stores", uses: ["Runbook", "SQLite", "Posix"]),
      target("Simulator", uses: ["Runbook", "HTTPServer"]),
      target("Transport", uses: ["Runbook", "HTTPClient"]),
      .executableTarget(
        name: "CommandLine",
        dependencies: [
          "Runbook", "Operations", "Steps", "Providers", "Stores", "Simulator", "Transport", "Posix",
        ],
        swiftSettings: strict),
      .target(
        name: "TestSupport", dependencies: ["Runbook", "Posix"], path: "Tests/Support", swiftSettings: strict),
      tests(of: "YAML"), tests(of: "SQLite"), tests(of: "HTTPClient", uses: ["HTTPServer"]), tests(of: "HTTPServer"),
      tests(of: "Posix"), tests(of: "Crypto"),
      tests(of: "Runbook", uses: ["Steps", "Providers"], data: ["Histories"]),
      .executableTarget(
        name: "ScriptHarness", dependencies: ["Runbook", "Steps", "Posix", "TestSupport"], path: "Tests/ScriptHarness",
        swiftSettings: strict),
      tests(of: "Operations", uses: ["Runbook", "Simulator", "Steps", "Stores"]),
      tests(of: "Steps", uses: ["Posix", "ScriptHarness"]),
      tests(of: "Providers", uses: ["ProviderKit", "Simulator"] + everyCloud),
      .executableTarget(
        name: "StoreHammer", dependencies: ["Runbook", "Stores"], path: "Tests/StoreHammer", swiftSettings: strict),
      tests(of: "Stores", uses: ["Runbook", "StoreHammer", "Posix", "SQLite"], data: ["Releases"]),
      tests(of: "Simulator", uses: ["Providers", "VPSOrgCloud", "ZomroCloud", "Steps", "Stores"]),
      tests(of: "CommandLine", uses: ["Runbook", "Operations", "Providers", "Simulator", "Posix"]),
      .testTarget(
        name: "ConformanceTests",
        dependencies: ["Runbook", "Providers", "Simulator", "Steps", "Stores", "Transport", "TestSupport"],
        swiftSettings: strict),
      // Built as if by another package: it sees what is public, and nothing else.
      .testTarget(
        name: "OutsideTests", dependencies: ["Runbook", "Steps", "Stores", "Simulator"], packageAccess: false,
        swiftSettings: strict),
      .testTarget(name: "CLITests", dependencies: ["TestSupport", "Posix"], swiftSettings: strict),
      .executableTarget(
        name: "PollBench", dependencies: ["Runbook", "Simulator", "Steps", "Stores", "Transport"],
        path: "Tests/Benchmarks/PollBench", swiftSettings: strict),
      .executableTarget(
        name: "ManyRunsBench", dependencies: ["Runbook", "Simulator", "Steps", "Stores", "Transport"],
        path: "Tests/Benchmarks/ManyRunsBench", swiftSettings: strict),
      .executableTarget(
        name: "WatchBench",
        dependencies: ["Runbook", "Providers", "VPSOrgCloud", "Simulator", "Steps", "Stores", "Posix"],
        path: "Tests/Benchmarks/WatchBench", swiftSettings: strict),
      .executableTarget(
        name: "SSHBench", dependencies: ["Runbook", "Steps", "Posix"], path: "Tests/Benchmarks/SSHBench",
        swiftSettings: strict),
      .testTarget(
        name: "TidyTests", dependencies: ["TestSupport", "Runbook", "Steps", "Providers", "Simulator"],
        swiftSettings: strict),
    ]
)
