import Glibc
import Posix
import TestSupport
import Testing

/// A process that may open few files: it says so before a run begins, or carries the run out.
struct ShortageTests {
  static let file = """
    runbook: v1
    name: shortage
    steps:
      - {id: change, run: 'echo change >> ledger', rollback: [{run: 'echo undo >> ledger'}]}
      - {id: bad, run: 'exit 3', rollback: none}
    """

  @Test(arguments: 8...40)
  func everyNumberOfDescriptorsIsEnoughOrRefusedBeforeTheRunBegins(limit: Int) async throws {
    let place = try Workplace()
    try place.write("shortage.yaml", Self.file)
    let ended = try await place.shell("ulimit -n \(limit); exec \"$R\" run shortage.yaml")
    #expect(ended.signal == nil, "a trap: \(ended.stderr)")
    #expect((ended.code == 2) == (limit < 32))
    if ended.code == 2 {
      #expect(ended.stderr.contains("ulimit -n 64") && !ended.stdout.contains("change"), "\(ended.stderr)")
      #expect(place.read("ledger").isEmpty)
    } else {
      #expect(ended.code == 3, "\(ended.stdout)\(ended.stderr)")
      #expect(place.read("ledger") == "change\nundo\n")
    }
  }
}
