@testable import Runbook
import TestSupport
import Testing

/// Everything that can happen to small trees. Each finding names the way to it.
struct TreeExplorerTests {
  static let trees = [
    "a^ o{x^ y^} b^", "o{x^ y^}rescue{z^} b", "p[l^ r^] b^", "p[l{x^ y^} r^]", "p[a^ b^ c^]",
    "w*4(parallel 2)^", "w*4(parallel 2, failures 1)^", "w*3(parallel 2, failures 1){x^ y^}",
    "w*4(parallel 2, batches 1 3, failures 1, gate {g})^", "c<x^ y^>^ b^", "w*2(parallel 2)<x^ y>",
    "o{p[l^ r^]}rescue{z^} b",
    "p[o{x^}rescue{z^} r^]", "p[w*2(parallel 2, failures 1)^ r^]", "w*2(failures 1){v*2(failures 1)^ y^}",
    "p[a! b^]", "w*2(failures 1){x^ k= y^}", "w*2(failures 1){a^ b! c^}",
  ]

  @Test(arguments: trees)
  func everythingThatCanHappenToATreeEndsAsItShould(_ tree: String) {
    for budget in [
      TreeExplorer.Budget(failures: 2), TreeExplorer.Budget(failures: 1, losses: 1, crashes: 1),
      TreeExplorer.Budget(failures: 1, cancels: 1), TreeExplorer.Budget(failures: 1, undoFailures: 1),
    ] {
      let explorer = TreeExplorer.explore(
        tree, budget, states: Campaign.count(150, torture: 100_000), seed: UInt64(Campaign.offset(below: 1000)))
      #expect(explorer.findings.isEmpty, "\(tree) with \(budget)")
      #expect(explorer.states > 10, "\(tree): too little was gone through")
      #expect(!explorer.ends.isEmpty, "\(tree): no end was reached")
    }
  }
}
