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

  @Test func everyTargetIsAFolderOfItsName() throws {
    let sources = try FileManager.default.contentsOfDirectory(atPath: Repository.path("Sources"))
    let system = try FileManager.default.contentsOfDirectory(atPath: Repository.path("Sources/System"))
    let wrappers = Set(system.filter { !$0.isLibrary })
    #expect(Set(sources).subtracting(["System"]).union(wrappers) == Set(ImportTests.allowed.keys))
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
