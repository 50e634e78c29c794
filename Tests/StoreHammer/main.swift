import Glibc
import Runbook
import Stores

// Stands in for `runbook` processes in tests of the store: hammers it from several sides, or measures it.
let words = CommandLine.arguments
do throws(StoreFailure) {
  switch words.dropFirst().first {
  case "hammer" where words.count == 6:
    // hammer STORE SEED RUNS APPENDS
    try Hammer(
      store: words[2], seed: UInt64(words[3]) ?? 0, runs: Int(words[4]) ?? 1, appends: Int(words[5]) ?? 1
    ).run()
  case "measure" where words.count == 4:
    // measure STORE COUNT
    try Stopwatch(store: words[2], count: Int(words[3]) ?? 1000).run()
  case "one" where words.count == 3:
    // one STORE: a run of one step, as short as can be.
    try Stopwatch(store: words[2], count: 1).runOne()
  default:
    print("usage: StoreHammer hammer STORE SEED RUNS APPENDS | measure STORE COUNT | one STORE")
    exit(2)
  }
} catch {
  print("refused: \(error)")
  if case .writeFailed = error { exit(3) }
  exit(1)
}
