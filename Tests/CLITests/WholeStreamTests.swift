import TestSupport
import Testing

/// Output that is longer than what an expression may build.
struct WholeStreamTests {
  private func run(_ keys: String, then step: String = "commit: it was judged") async throws -> Finished {
    let place = try Workplace()
    let noise = "head -c 1500000 /dev/zero | tr '\\0' a"
    try place.write(
      "stream.yaml",
      """
      runbook: v1
      name: stream
      steps:
        - id: big
          run: |
            \(noise)
            echo ERROR
            \(noise)
          rollback: none
          \(keys)
        - \(step)
      """)
    return try await place.run("run", "stream.yaml")
  }

  @Test func anOutputMayBeOneWholeStream() async throws {
    let ended = try await run(
      "outputs: {log: result.stdout}",
      then: "{action: assert, with: {that: \"${{ size(steps.big.outputs.log) == 3000006 }}\"}}")
    #expect(ended.code == 0, "\(ended.stderr.prefix(2000))")
  }

  @Test func anExpressionJudgesTheWholeStream() async throws {
    let ended = try await run("expect: \"!result.stdout.contains('ERROR')\"")
    #expect(
      ended.code == 1 && (ended.stdout + ended.stderr).contains("`expect` does not hold"),
      "\(ended.stdout.prefix(2000))")
  }
}
