import Foundation
import TestSupport
import Testing

/// Somebody who has never seen the project finds the room of any feature from the folder names.
@Suite struct LayoutTests {
  /// The top floor; a new name here is a decision.
  static let top: Set<String> = [
    "Makefile", "Package.swift", "README.md", "Sources", "Tests", "docs", "runbooks",
  ]

  @Test func theTopFloorIsKnown() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Repository.root)
    #expect(Set(names.filter { !$0.hasPrefix(".") && $0 != "Package.resolved" }) == Self.top)
  }

  /// Or of the name that `ImportTests.folders` gives it.
  @Test func everyTargetIsAFolderOfItsName() throws {
    let sources = try folders(in: "Sources")
    let wrappers = try folders(in: "Sources/System").filter { !$0.isLibrary }
    let clouds = try folders(in: "Sources/Providers").map { "Providers/\($0)" }
    #expect(
      Set(sources + wrappers + clouds).subtracting(["System"])
        == Set(ImportTests.allowed.keys.map { ImportTests.folders[$0] ?? $0 }))
  }

  private func folders(in folder: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: Repository.path(folder))
    return names.filter { !$0.contains(".") }
  }

  /// A system-library target holds a module map and `shim.h`, and no Swift.
  @Test func systemLibrariesHoldNoSwift() {
    for file in SourceTree.sources where file.path.hasPrefix("Sources/System/") && file.target?.isLibrary == true {
      Issue.record("\(file.path) belongs into the wrapper")
    }
  }

  @Test func nothingIsAPlaceholder() {
    #expect(SourceTree.swift.filter { $0.path.hasSuffix("/Placeholder.swift") }.map(\.path) == [])
  }
}
