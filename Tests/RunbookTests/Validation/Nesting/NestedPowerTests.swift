import Testing

@testable import Runbook

@Suite("the power of servers is followed through steps that hold others") struct NestedPowerTests {
  private static let stop = "{id: stop, action: server.stop, with: {server: a}}"
  private static let start = "{id: start, action: server.start, with: {server: a}}"
  private static let backup = "{id: copy, action: backup.create, with: {server: a}}"

  private func codes(_ steps: String) -> [String] {
    CloudRunbook.mistakes(steps).map { $0.split(separator: ":")[0].description }
  }

  @Test(
    "a step that certainly cannot be done is found wherever it stands",
    arguments: [
      ("- block:\n  - \(stop)\n- \(backup)\n", "7 E-STATE"),
      ("- \(stop)\n- block:\n  - {sleep: 1s}\n  - \(backup)\n", "8 E-STATE"),
      ("- \(stop)\n- parallel:\n  - {sleep: 1s}\n  - \(backup)\n", "8 E-STATE"),
      ("- \(stop)\n- for_each: [x]\n  action: backup.create\n  with: {server: a}\n", "7 E-STATE"),
      ("- parallel:\n  - {sleep: 1s}\n  - block:\n    - \(stop)\n    - \(backup)\n", "9 E-STATE"),
      ("- for_each: [x]\n  block:\n  - \(stop)\n  - \(backup)\n", "8 E-STATE"),
      (
        "- for_each: {in: [x], max_parallel: 5}\n  block:\n  - {action: server.stop, with: {server: '${{ item }}'}}\n"
          + "  - {action: backup.create, with: {server: '${{ item }}'}}\n", "8 E-STATE"
      ),
      ("- block: [{sleep: 1s}]\n  rescue:\n  - \(stop)\n  - \(backup)\n", "8 E-STATE"),
      ("- {for_each: {in: [x], batches: 1, gate: [\(stop), \(backup)]}, sleep: 1s}\n", "5 E-STATE"),
      // The run bears it.
      ("- {continue_on_error: true, block: [\(stop), \(backup)]}\n", "5 W-STATE"),
      ("- {block: [\(stop), \(backup)], rescue: [{sleep: 1s}]}\n", "5 W-STATE"),
      // A script in another branch may come between.
      ("- parallel:\n  - block:\n    - \(stop)\n    - \(backup)\n  - {run: ./update.sh}\n", "8 W-STATE"),
      ("- parallel:\n  - {run: ./update.sh}\n  - block:\n    - \(stop)\n    - \(backup)\n", "9 W-STATE"),
    ])
  func whatCannotBeDoneIsFound(_ steps: String, _ found: String) { #expect(codes(steps) == [found]) }

  @Test(
    "what may be in order is not refused",
    arguments: [
      "- block:\n  - \(stop)\n  - \(start)\n- \(backup)\n",
      "- {if: run.name == 'x', block: [\(stop)]}\n- \(backup)\n",
      "- {continue_on_error: true, block: [\(stop)]}\n- \(backup)\n",
      "- \(start)\n- {block: [\(stop)], rescue: [{sleep: 1s}]}\n- \(backup)\n",
      // A rescue begins with what the block may have left.
      "- {block: [\(stop), {fail: x}], rescue: [\(backup)]}\n",
      "- \(stop)\n- {block: [\(start), {fail: x}], rescue: [\(backup)]}\n",
      "- {block: [\(stop)], rescue: [\(start)]}\n- \(backup)\n",
      "- parallel:\n  - {sleep: 1s}\n  - \(stop)\n- \(backup)\n",
      "- {for_each: inputs.names, action: server.stop, with: {server: a}}\n- \(backup)\n".replacing(
        "inputs.names", with: "[x]"),
      // A later iteration begins where an earlier one ended.
      "- \(stop)\n- for_each: [x, y]\n  block:\n  - \(backup)\n  - \(start)\n",
      // Each item is another server.
      "- for_each: [x, y]\n  block:\n  - {action: backup.create, with: {server: '${{ item }}'}}\n"
        + "  - {action: server.stop, with: {server: '${{ item }}'}}\n",
      "- {for_each: [x], action: server.stop, with: {server: '${{ item }}'}}\n"
        + "- {for_each: [y], action: backup.create, with: {server: '${{ item }}'}}\n",
      "- for_each: {in: [x], as: one}\n  block:\n  - {action: server.stop, with: {server: 'v${{ index }}'}}\n"
        + "  - for_each: {in: [y], as: two}\n    action: backup.create\n    with: {server: 'v${{ index }}'}\n",
      // Iterations that go on at once share a server that does not depend on the item.
      "- for_each: {in: [x, y], max_parallel: 2}\n  block:\n  - \(stop)\n  - \(backup)\n",
      "- for_each: {in: [x], batches: 1, gate: [\(backup)]}\n  block:\n  - \(stop)\n",
      // A branch in which another one's server is looked at.
      "- parallel:\n  - {if: run.name == 'x', id: s, action: server.stop, with: {server: a}}\n"
        + "  - block:\n    - \(backup)\n    - {action: disk.swap, with: {server: a}}\n",
    ])
  func whatMayBeInOrderIsNotRefused(_ steps: String) { #expect(codes(steps) == []) }

  @Test("undo steps in a loop begin with what no iteration changes")
  func undoStepsInALoopKnowLittle() {
    let undone =
      "    rollback: [{action: disk.swap, with: {server: a}}]\n"
    let steps =
      "- \(Self.start)\n- for_each: [x, y]\n  block:\n  - id: copy\n    action: backup.create\n    with: {server: a}\n"
    #expect(codes(steps + undone).first == "11 E-STATE")
    #expect(codes(steps + undone + "  - {id: stop, action: server.stop, with: {server: a}}\n") == [])
    #expect(
      codes(
        "- \(Self.start)\n- for_each: [x, y]\n  block:\n  - {id: two, action: server.start, with: {server: a}}\n"
          + "  - id: copy\n    action: backup.create\n    with: {server: a}\n" + undone) == [])
  }

  @Test("a server is deleted where a step has created it, in the same iteration or in the list of one before")
  func aServerIsDeletedWhereItWasCreated() {
    let delete = "{action: server.delete, with: {server: '${{ ID }}'}}"
    func deleted(_ id: String, _ steps: String) -> [String] {
      codes(steps.replacing("DELETE", with: delete.replacing("ID", with: id)))
    }
    #expect(
      deleted(
        "steps.new.outputs.id", "- for_each: [x]\n  block:\n  - {id: new, action: backup.restore_as}\n  - DELETE\n")
        == [])
    #expect(
      deleted(
        "item",
        "- {id: new, for_each: [x], action: backup.restore_as}\n"
          + "- for_each: steps.new.items.map(i, i.outputs.id)\n  block:\n  - DELETE\n") == [])
    #expect(
      deleted(
        "steps.outer.outputs.id",
        "- id: outer\n  block:\n  - {id: new, action: backup.restore_as}\n"
          + "  outputs: {id: steps.new.outputs.id}\n- DELETE\n") == [])
    #expect(deleted("item", "- for_each: [x]\n  block:\n  - DELETE\n") == ["7 E-DELETE"])
    #expect(deleted("run.name", "- block:\n  - DELETE\n") == ["6 E-DELETE"])
    #expect(
      deleted(
        "item",
        "- {id: old, action: server.status, with: {server: a}}\n"
          + "- for_each: '[steps.old.outputs.state]'\n  block:\n  - DELETE\n") == ["8 W-DELETE"])
  }
}
