import Runbook
import Testing

/// The power state of a server is followed through the steps: what certainly cannot be done is told before it is tried.
@Suite struct PowerRulesTests {
  private static let stop = "- {id: stop, action: server.stop, with: {server: a}}\n"
  private static let backup = "- {id: copy, action: backup.create, with: {server: a}}\n"
  private static let start = "- {id: start, action: server.start, with: {server: a}}\n"
  private static func refused(_ line: Int, by: String = "stop", on other: Int = 5) -> String {
    "\(line) E-STATE: `backup.create` on iron needs a server that is running or paused, but `\(by)` (line \(other)) "
      + "leaves it stopped; put `action: server.start` before it, or move the step before `\(by)`"
  }

  private func mistakes(_ steps: String) -> [String] { CloudRunbook.mistakes(steps) }

  @Test("a backup of a server that a step has stopped names both lines")
  func aStoppedServerIsNotBackedUp() {
    #expect(mistakes(Self.stop + Self.backup) == [Self.refused(6)])
  }

  @Test(
    "what may be in order is not refused",
    arguments: [
      backup + stop, stop + start + backup, backup,
      stop.replacing("{id", with: "{if: run.name == 'x', id") + backup,
      stop.replacing("{id", with: "{continue_on_error: true, id") + backup,
      stop.replacing("{id", with: "{wait: false, id") + backup,
      stop.replacing("server: a", with: "server: b") + backup,
      stop + "- {action: server.stop, with: {server: a}}\n",
      stop + "- {action: snapshot.restore, with: {server: a, power: running}}\n" + backup,
      stop + "- {wait_for: server.status, with: {server: a}, wait: {until: result.state == 'running'}}\n" + backup,
      stop + start.replacing("{id", with: "{if: run.name == 'x', id") + backup,
      "- {action: server.pause, with: {server: a}}\n" + backup,
      backup
        + "- {action: ssh.run, with: {host: h, user: u, script: poweroff}}\n- {action: disk.swap, with: {server: a}}\n",
    ])
  func whatMayBeInOrderIsNotRefused(_ steps: String) { #expect(mistakes(steps) == []) }

  @Test("steps that leave the power alone are looked through")
  func stepsInBetweenAreLookedThrough() {
    let between = "- {action: log.info, with: {message: x}}\n- {wait_for: server.status, with: {server: a}}\n"
    #expect(mistakes(Self.stop + between + Self.backup) == [Self.refused(8)])
  }

  @Test("a restore brings the server back to what it was, or to what is asked")
  func aRestoreKeepsThePower() {
    let same = "- {id: back, action: snapshot.restore, with: {server: a}}\n"
    #expect(mistakes(Self.stop + same + Self.backup) == [Self.refused(7)])
    let asked = same.replacing("server: a", with: "server: a, power: stopped")
    #expect(mistakes(Self.start + asked + Self.backup) == [Self.refused(7, by: "back", on: 6)])
  }

  @Test("two ways that both lead to a wrong state are named both")
  func everyWayThatLeadsToAWrongStateIsNamed() {
    let rescue = "- {id: boot, action: rescue.enter, if: run.name == 'x', with: {server: a}}\n"
    #expect(
      mistakes(Self.start + rescue + Self.stop + rescue.replacing("boot", with: "again")).count == 1)
    let found = mistakes(
      Self.start + "- {action: rescue.enter, with: {server: a}}\n"
        + Self.stop.replacing("{id", with: "{if: run.name == 'x', id")
        + Self.backup)
    #expect(
      found == [
        "8 E-STATE: `backup.create` on iron needs a server that is running or paused, but `stop` (line 7) leaves it "
          + "stopped, and `rescue.enter` (line 6) leaves it rescue; put `action: server.start` before it, or move the "
          + "step before `rescue.enter`"
      ])
  }

  @Test("a step that could be done only in one state tells the next ones")
  func whatAStepNeededIsKnownAfterwards() {
    #expect(
      mistakes(Self.backup + "- {action: disk.swap, with: {server: a}}\n") == [
        "6 E-STATE: `disk.swap` on iron needs a server that is stopped, but `copy` (line 5) can only be done when it "
          + "is running or paused; put `action: server.stop` before it, or move the step before `copy`"
      ])
  }

  @Test("what a script or another name of the server may have changed makes it a warning")
  func aDoubtMakesItAWarning() {
    let script = "- {id: fix, run: ./update.sh}\n"
    #expect(
      mistakes(Self.stop + script + Self.backup) == [
        "7 W-STATE: `backup.create` on iron needs a server that is running or paused, but `stop` (line 5) leaves it "
          + "stopped, unless `fix` (line 6) changes that; put `action: server.start` before it, or move the step "
          + "before `stop`"
      ])
    #expect(mistakes(Self.stop + script.replacing("{id", with: "{effect: none, id") + Self.backup) == [Self.refused(7)])
    let raw = "- {id: fix, action: iron.request}\n"
    #expect(mistakes(Self.stop + raw + Self.backup).first?.contains("W-STATE") == true)
    let other = "- {id: fix, action: server.start, with: {server: '${{ run.name }}'}}\n"
    #expect(mistakes(Self.stop + other + Self.backup).first?.contains("unless `fix` (line 6)") == true)
    let off = other.replacing("server.start", with: "server.stop")
    #expect(mistakes(Self.stop + off + Self.backup) == [Self.refused(7)])
  }

  @Test("a step that may fail is warned of, and with --strict refused")
  func aStepThatMayFailIsWarnedOf() {
    let steps = Self.stop + Self.backup.replacing("{id", with: "{continue_on_error: true, id")
    #expect(mistakes(steps) == [Self.refused(6).replacing("E-STATE", with: "W-STATE")])
    let always = "steps:\n- sleep: 1s\nalways:\n" + Self.stop + Self.backup
    #expect(mistakes(always) == [Self.refused(8, on: 7).replacing("E-STATE", with: "W-STATE")])
    #expect(throws: Diagnostics.self) {
      try ValidatedRunbook(ParsedDocument(yaml: CloudRunbook.text(always)), in: CloudRunbook.context(isStrict: true))
    }
  }

  @Test("a server that is deleted is not used again")
  func aDeletedServerIsNotUsed() {
    let steps = """
      - {id: new, action: backup.restore_as}
      - {id: gone, action: server.delete, with: {server: "${{ steps.new.outputs.id }}"}}
      - {action: server.stop, with: {server: "${{ steps.new.outputs.id }}"}}
      """
    #expect(
      mistakes(steps) == [
        "7 E-STATE: `server.stop` on iron needs a server that exists, but `gone` (line 6) has deleted it; move the "
          + "step before `gone`"
      ])
  }

  // MARK: Undo

  private static func undone(_ undo: String) -> String {
    "- id: copy\n  action: backup.create\n  with: {server: a}\n  rollback:\n  - \(undo)\n"
  }

  @Test("an undo step begins with what its step began with, if nothing later changes that")
  func anUndoBeginsWhereItsStepBegan() {
    let swap = "{action: disk.swap, with: {server: a}}"
    let first = "- {id: up, action: server.start, with: {server: a}}\n"
    let found = mistakes(first + Self.undone(swap))
    #expect(found.count == 1 && found[0].hasPrefix("10 E-STATE: `disk.swap` on iron needs"))
    #expect(found[0].contains("but `up` (line 5) leaves it running"))
    #expect(mistakes(first + Self.undone(swap) + Self.stop) == [])
    #expect(
      mistakes(
        first + Self.undone(swap)
          + Self.undone("{action: server.stop, with: {server: a}}").replacing("copy", with: "two")) == [])
  }

  @Test("undo steps follow each other from top to bottom")
  func undoStepsAreFollowedFromTopToBottom() {
    let undo = "{action: server.stop, with: {server: a}}\n  - {action: backup.create, with: {server: a}}"
    #expect(mistakes(Self.undone(undo)) == [Self.refused(10, by: "server.stop", on: 9)])
    let bearable = undo.replacing("{action: backup", with: "{on_error: continue, action: backup")
    #expect(mistakes(Self.undone(bearable)).first?.hasPrefix("10 W-STATE") == true)
  }

  @Test("`self` of two steps is not one server")
  func selfIsAnotherServerInEachStep() {
    let steps = ["one", "two"].map { id in
      "- id: \(id)\n  action: backup.restore_as\n  rollback:\n"
        + "  - {action: server.delete, with: {server: '${{ self.outputs.id }}'}}\n"
    }
    #expect(mistakes(steps.joined()) == [])
  }

  // MARK: Bounds

  @Test("a file with a step that could not be read is not judged by the rest")
  func anUnreadableStepStopsTheJudgement() {
    let found = mistakes(Self.stop + "- {action: server.sstart, with: {server: a}}\n" + Self.backup)
    #expect(found.map { $0.prefix(10) } == ["6 E-ACTION"])
  }

  @Test("the step that is to blame is shown, too")
  func theOtherPlaceIsShown() throws {
    do throws(Diagnostics) {
      _ = try ValidatedRunbook(
        ParsedDocument(yaml: CloudRunbook.text(Self.stop + Self.backup)), in: CloudRunbook.context())
      Issue.record("it was taken")
    } catch {
      #expect(error.items.first { $0.code == "E-STATE" }?.related?.start.line == 5)
    }
  }
}
