import Runbook
import Testing

@Suite struct PlanPowerTests {
  private func plan() throws -> Plan {
    let steps = """
      - {id: copy, action: backup.create, with: {server: a}, rollback: none}
      - {id: stop, action: server.stop, with: {server: a}, rollback: none}
      - {id: back, action: snapshot.restore, with: {server: a}, rollback: none}
      - {id: on_again, action: snapshot.restore, with: {server: a, power: running}, rollback: none}
      - {id: raw, action: iron.request, rollback: none}
      - {id: look, action: server.status, with: {server: a}}
      """
    return Plan(try CloudRunbook.validated(steps), inputs: [:], at: Timestamp(seconds: 0))
  }

  @Test("a plan says what each step needs, what it leaves, and how a lost call is found again")
  func aPlanSaysWhatStepsNeedAndLeave() throws {
    let lines = PlanText.lines(try plan(), isVerbose: true).map { $0.trimmingPrefix { $0 == " " } }
    func after(_ step: String) -> [String] {
      guard let start = lines.firstIndex(where: { $0.contains(". \(step)  ") }) else { return [] }
      let rest = lines.dropFirst(start + 1).prefix { !$0.contains("  (") && !$0.isEmpty }
      return rest.filter { $0.hasPrefix("needs") || $0.hasPrefix("leaves") || $0.hasPrefix("after") }.map { String($0) }
    }
    let lost = "after a lost reply: it is read"
    #expect(after("copy") == ["needs a server that is running or paused", lost])
    #expect(after("stop") == ["leaves it stopped", lost])
    #expect(after("back") == ["needs a server that is running or stopped; leaves it as it was", lost])
    #expect(after("on_again") == ["needs a server that is running or stopped; leaves it running", lost])
    #expect(after("raw") == [])
    #expect(after("look") == [])
  }

  @Test("so does its JSON")
  func soDoesItsJSON() throws {
    let steps = try #require(PlanText.json(try plan())["steps"]?.list)
    #expect(
      steps.map { $0["needs"] } == [
        ["running", "paused"], nil, ["running", "stopped"], ["running", "stopped"], nil, nil,
      ])
    #expect(steps.map { $0["leaves"] } == ["unchanged", "stopped", "as_asked", "running", nil, nil])
    #expect(steps.map { $0["recovery"] } == ["it is read", "it is read", "it is read", "it is read", nil, nil])
  }
}
