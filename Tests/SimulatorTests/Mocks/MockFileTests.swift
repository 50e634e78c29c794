import Runbook
import Simulator
import Testing

/// A mock file, and the first mistake told of it.
struct RefusedMock: Sendable, CustomTestStringConvertible {
  var yaml: String
  var message: String
  init(_ yaml: String, _ message: String) {
    self.yaml = yaml
    self.message = message
  }
  var testDescription: String { message }
}

@Suite struct MockFileTests {
  @Test(arguments: [
    RefusedMock("steps: {}", "a mock file begins with `mock: v1`"),
    RefusedMock("mock: v2", "a mock file begins with `mock: v1`"),
    RefusedMock("- a", "a mock file is a map that begins with `mock: v1`"),
    RefusedMock("mock: v1\nstep: {}", "unknown key `step`"),
    RefusedMock("mock: v1\nsteps: [a]", "a map of step paths is expected here"),
    RefusedMock("mock: v1\nsteps: {a: {exit: 1}}", "unknown key `exit`"),
    RefusedMock("mock: v1\nsteps: {a: {after: 30}}", "a duration such as `30s` is expected here"),
    RefusedMock("mock: v1\nsteps: {a: {times: 0}}", "`times` is a whole number of at least 1"),
    RefusedMock("mock: v1\nsteps: {a: {result: 3}}", "a map is expected here"),
    RefusedMock("mock: v1\nsteps: {a: {fail: {kind: boom}}}", "unknown kind of error"),
    RefusedMock("mock: v1\nsteps: {a: {fail: {effect: some}}}", "unknown effect"),
    RefusedMock("mock: v1\nsteps: {a: {fail: {retryable: often}}}", "`retryable` is true or false"),
    RefusedMock("mock: v1\nsteps: {a: {fail: {reason: x}}}", "unknown key `reason`"),
    RefusedMock("mock: v1\nfaults: {vps_org: [[x]]}", "a text is expected here"),
  ])
  func isRefusedWithItsReason(_ refused: RefusedMock) throws {
    let diagnostics = #expect(throws: Diagnostics.self) { try MockFile(yaml: Array(refused.yaml.utf8)) }
    #expect(diagnostics?.items.first?.message == refused.message)
  }

  @Test func tellsAllMistakesAtOnce() {
    let yaml = "mock: v1\nsteps:\n  a: {after: soon}\n  b: {times: x}\n"
    let diagnostics = #expect(throws: Diagnostics.self) { try MockFile(yaml: Array(yaml.utf8)) }
    #expect(diagnostics?.items.map(\.range.start.line) == [3, 4])
  }

  @Test func keepsTheFaultsInOrder() throws {
    let file = try MockFile(yaml: Array("mock: v1\nfaults: {vps_org: [\"429:2\", \"reply_lost:server.stop\"]}".utf8))
    #expect(file.faults.map(\.provider) == ["vps_org", "vps_org"])
    #expect(file.faults.map(\.fault) == ["429:2", "reply_lost:server.stop"])
  }
}
