import Testing

/// Who may import whom. The compiler refuses an import of a target that is no dependency at all, but not one from two
/// floors down; and a C library belongs to its wrapper alone.
@Suite struct ImportTests {
  /// Of ours. All arrows point at `Runbook`; steps, providers, stores and simulator meet in the command's
  /// `Composition`. No cloud knows another: they share `ProviderKit`, and meet in `Providers`.
  static let allowed: [String: Set<String>] = [
    "YAML": ["CYAML"], "SQLite": ["CSQLite"], "HTTPClient": ["CCurl"], "HTTPServer": ["CMicroHTTPD"],
    "Posix": ["CPosix"], "Crypto": ["CCrypto"],
    "Runbook": ["YAML"],
    "Operations": ["Runbook"],
    "Steps": ["Runbook", "Posix"],
    "ProviderKit": ["Runbook"],
    "VPSOrgCloud": ["Runbook", "ProviderKit"],
    "ZomroCloud": ["Runbook", "ProviderKit", "Crypto"],
    "ZStackCloud": ["Runbook", "ProviderKit", "Crypto"],
    "DeclaredClouds": ["Runbook", "ProviderKit"],
    "Providers": ["Runbook", "VPSOrgCloud", "ZomroCloud", "ZStackCloud", "DeclaredClouds"],
    "Stores": ["Runbook", "SQLite", "Posix"],
    "Simulator": ["Runbook", "HTTPServer"],
    "Transport": ["Runbook", "HTTPClient"],
    "CommandLine": [
      "Runbook", "Operations", "Steps", "Providers", "Stores", "Simulator", "Transport", "Posix",
    ],
  ]
  /// Targets whose folder below `Sources/` is not called like them.
  static let folders: [String: String] = [
    "ProviderKit": "Providers/Kit", "VPSOrgCloud": "Providers/VPSOrg", "ZomroCloud": "Providers/Zomro",
    "ZStackCloud": "Providers/ZStack", "DeclaredClouds": "Providers/Declared",
  ]
  /// Of the toolchain. No Foundation: it costs every start more than everything else together.
  static let toolchain: Set<String> = ["Glibc", "Synchronization", "Dispatch"]

  @Test(arguments: SourceTree.sources)
  func everyImportIsAllowed(_ file: ProjectFile) throws {
    let target = try #require(file.target)
    let allowed = try #require(Self.allowed[target], "say in this test what the new target `\(target)` may import")
    for line in file.lines {
      guard let module = Self.module(importedBy: line) else { continue }
      #expect(allowed.contains(module) || Self.toolchain.contains(module), "\(target) may not import \(module)")
    }
  }

  @Test(arguments: SourceTree.swift.filter { !$0.path.hasPrefix("Sources/") })
  func testsDoNotReachPastTheWrappers(_ file: ProjectFile) {
    for line in file.lines {
      let module = Self.module(importedBy: line)
      #expect(!Self.allowed.values.contains { $0.contains(module ?? "") && module?.isLibrary == true }, "\(line)")
    }
  }

  /// `Tests/OutsideTests` stands for other packages; `Package.swift` builds it with `packageAccess: false`.
  @Test(arguments: SourceTree.swift.filter { $0.path.hasPrefix("Tests/OutsideTests/") })
  func outsidersSeeOnlyWhatIsPublic(_ file: ProjectFile) {
    let visible: Set<String> = ["Runbook", "Steps", "Stores", "Simulator", "Testing", "Synchronization"]
    for line in file.lines {
      #expect(!line.contains("@testable"), "\(line)")
      if let module = Self.module(importedBy: line) { #expect(visible.contains(module), "\(line)") }
    }
  }

  /// `public import struct Runbook.Value` imports `Runbook`.
  static func module(importedBy line: Substring) -> String? {
    var words = line.split(separator: " ").filter { !$0.hasPrefix("@") }
    if ["public", "package", "internal", "fileprivate", "private"].contains(words.first) { words.removeFirst() }
    guard words.first == "import", words.count > 1 else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "let", "var", "typealias"]
    let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
    return name.split(separator: ".").first.map { String($0) }
  }
}

extension String {
  /// A system-library target: `CYAML`.
  var isLibrary: Bool { ["CYAML", "CSQLite", "CCurl", "CMicroHTTPD", "CPosix", "CCrypto"].contains(self) }
}
