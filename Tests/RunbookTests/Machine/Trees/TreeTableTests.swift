@testable import Runbook
import Testing

/// One run: a runbook, the events, and what is to be done behind them, all in words. See `TreeText` and `TreeDriver`.
struct TreeRow: Sendable, CustomTestStringConvertible {
  var rule: String
  var tree: String
  /// Separated by `;`.
  var events: String
  var orders: String
  var testDescription: String { "\(rule): \(tree) | \(events)" }

  init(_ rule: String, _ tree: String, _ events: String, _ orders: String) {
    self.rule = rule
    self.tree = tree
    self.events = events
    self.orders = orders
  }

  static let order: [TreeRow] = [
    TreeRow("steps follow each other", "a b", "", "begin a"),
    TreeRow("steps follow each other", "a b", "ok a", "begin b"),
    TreeRow("a block is its steps", "o{x y} b", "ok o.x", "begin o.y"),
    TreeRow("a block is its steps", "o{x y} b", "ok o.x; ok o.y", "begin b"),
    TreeRow("a block in a block is its steps", "o{i{x y} z} b", "ok o.i.x; ok o.i.y", "begin o.z"),
    TreeRow("branches begin together", "p[l r] b", "", "begin p.l, begin p.r"),
    TreeRow("branches end in any order", "p[l r] b", "ok p.r", "begin p.l"),
    TreeRow("branches end in any order", "p[l r] b", "ok p.r; ok p.l", "begin b"),
    TreeRow("a branch may be a block", "p[l{x y} r] b", "ok p.l.x", "begin p.l.y, begin p.r"),
    TreeRow("a loop does one item after the other", "w*3 b", "ok w[0]", "begin w[1]"),
    TreeRow("a loop does so many at once", "w*3(parallel 2) b", "ok w[0]", "begin w[1], begin w[2]"),
    TreeRow("a loop of blocks", "w*2{x y} b", "ok w[0].x", "begin w[0].y"),
    TreeRow("an empty loop is done", "w*0 b", "", "begin b"),
    TreeRow("a batch ends before the next", "w*4(parallel 4, batches 1 2)", "", "begin w[0]"),
    TreeRow("a batch ends before the next", "w*4(parallel 4, batches 1 2)", "ok w[0]; ok w[2]", "begin w[1]"),
    TreeRow("the last batch size repeats", "w*4(parallel 4, batches 1)", "ok w[0]; ok w[1]", "begin w[2]"),
    TreeRow(
      "a gate stands between two batches", "w*2(parallel 2, batches 1, gate {g})", "ok w[0]", "begin w.gate[1].g"),
    TreeRow(
      "a gate stands between two batches", "w*2(parallel 2, batches 1, gate {g})", "ok w[0]; ok w.gate[1].g",
      "begin w[1]"),
    TreeRow(
      "behind the last batch is no gate", "w*2(batches 1, gate {g}) b", "ok w[0]; ok w.gate[1].g; ok w[1]", "begin b"),
    TreeRow(
      "a gate that fails stops the loop", "w*2(batches 1, gate {g})^ b", "ok w[0]; refuse w.gate[1].g", "undo w[0]"),
    TreeRow("a call is the steps of its file", "c<x y> b", "ok c.x", "begin c.y"),
    TreeRow("a call in a loop", "w*2<x> b", "ok w[0].x", "begin w[1].x"),
    TreeRow("a loop in a loop", "w*2{v*2{x}} b", "ok w[0].v[0].x", "begin w[0].v[1].x"),
    TreeRow("a loop in a branch", "p[w*2 r]", "ok p.w[0]", "begin p.w[1], begin p.r"),
  ]

  static let rollback: [TreeRow] = [
    TreeRow("R1 R2: what was begun is undone", "a^ b", "ok a; fail b", "undo a"),
    TreeRow("R1 R2: what was begun is undone", "o{a^ b}", "ok o.a; fail o.b", "undo o.a"),
    TreeRow("R1 R2: what was begun is undone", "o{i{a^ b}}", "ok o.i.a; fail o.i.b", "undo o.i.a"),
    TreeRow("R2: a failed step is brought to rest first", "p[l^ r]", "begin p.r; fail p.l; stop p.r", "settle p.l"),
    TreeRow("R2: what did nothing is not undone", "o{a^}", "refuse o.a", "end 1"),
    TreeRow(
      "R3: newest first over branches", "p[l{a^ b^} r{c^ d}]", "ok p.l.a; ok p.r.c; ok p.l.b; refuse p.r.d",
      "undo p.l.b"),
    TreeRow(
      "R3: newest first over branches", "p[l{a^ b^} r{c^ d}]",
      "ok p.l.a; ok p.r.c; ok p.l.b; refuse p.r.d; ok p.l.b.undo[0]", "undo p.r.c"),
    TreeRow(
      "R3: newest first over branches", "p[l{a^ b^} r{c^ d}]",
      "ok p.l.a; ok p.r.c; ok p.l.b; refuse p.r.d; ok p.l.b.undo[0]; ok p.r.c.undo[0]", "undo p.l.a"),
    TreeRow("R3: newest first over a finished block", "o{a^} b^ c", "ok o.a; ok b; refuse c; ok b.undo[0]", "undo o.a"),
    TreeRow("R3: one entry at a time", "p[l^ r^] b", "ok p.l; ok p.r; refuse b", "undo p.r"),
    TreeRow("R4: a finished call stays attached", "c<x^> b", "ok c.x; refuse b", "undo c.x"),
    TreeRow("R4: an undo of the call replaces those of its file", "c<x^>^ b", "ok c.x; refuse b", "undo c"),
    TreeRow("R4: a call that fails undoes what its file has done", "c<x^ y>^ b", "ok c.x; refuse c.y", "undo c.x"),
    TreeRow(
      "R4: a call that fails undoes what its file has done", "c<x^ y>^ b", "ok c.x; refuse c.y; ok c.x.undo[0]", "end 3"
    ),
    TreeRow("R4: a call in a call", "c<d<x^>> b", "ok c.d.x; refuse b", "undo c.d.x"),
    TreeRow(
      "R4: a rescue that succeeds keeps the entries", "o{a^ b}rescue{z} c", "ok o.a; refuse o.b; ok o.z", "begin c"),
    TreeRow(
      "R4: a rescue that succeeds keeps the entries", "o{a^ b}rescue{z} c", "ok o.a; refuse o.b; ok o.z; refuse c",
      "undo o.a"),
    TreeRow(
      "a rescue that fails is the block's failure", "o{a^ b}rescue{z} c", "ok o.a; refuse o.b; refuse o.z", "undo o.a"),
    TreeRow(
      "a rescue waits for the block to be at rest", "o{p[l r]}rescue{z}", "begin o.p.r; refuse o.p.l", "call! o.p.r"),
    TreeRow(
      "a rescue waits for the block to be at rest", "o{p[l r]}rescue{z}", "begin o.p.r; refuse o.p.l; stop o.p.r",
      "begin o.z"),
    TreeRow("no rescue in what is stopped", "p[o{a}rescue{z} r]", "begin p.o.a; refuse p.r; stop p.o.a", "end 1"),
    TreeRow("R5: irreversible blocks what is older", "o{a^ b!} c", "ok o.a; ok o.b; refuse c", "end 4"),
    TreeRow("R5: irreversible alone is left standing", "o{b!} c", "ok o.b; refuse c", "end 1"),
    TreeRow(
      "R5: irreversible blocks within its iteration", "w*1{a^ b! c}", "ok w[0].a; ok w[0].b; refuse w[0].c", "end 4"),
    TreeRow(
      "R6: a commit closes what is older", "o{a^ k= b^ c}", "ok o.a; ok o.k; ok o.b; refuse o.c; ok o.b.undo[0]",
      "end 3"),
    TreeRow("R6: a commit in a call ends at the call", "a^ c<x^ k=> b", "ok a; ok c.x; ok c.k; refuse b", "undo a"),
    TreeRow(
      "R6: a commit in an iteration ends at the iteration", "a^ w*1{x^ k=} b", "ok a; ok w[0].x; ok w[0].k; refuse b",
      "undo a"),
    TreeRow("R8: siblings are stopped and at rest first", "p[l^ r^]", "begin p.l; refuse p.r", "call! p.l"),
    TreeRow("R8: siblings are stopped and at rest first", "p[l^ r^]", "begin p.l; refuse p.r; stop p.l", "end 1"),
    TreeRow("R8: no sibling is begun any more", "p[l r] b", "refuse p.l", "end 1"),
    TreeRow(
      "R8: siblings at depth two are stopped", "p[l{i{x^ y}} r]", "ok p.l.i.x; begin p.l.i.y; refuse p.r",
      "call! p.l.i.y"),
    TreeRow(
      "R9: an undo that fails stops the rollback", "p[l^ r^] b", "ok p.l; ok p.r; refuse b; fail p.r.undo[0]", "end 4"),
    TreeRow(
      "R9: an undo that fails in an iteration stops the run", "w*3(failures 3)^ b",
      "ok w[0]; fail w[1]; rest w[1]; fail w[1].undo[0]", "end 4"),
    TreeRow(
      "R10: a retried step has one entry", "o{a^ b}", "begin o.a; lost o.a; crash; ok o.a; refuse o.b; rest o.a",
      "undo o.a"),
    TreeRow("R11: a cancel stops every branch", "p[l^ r^]", "begin p.l; begin p.r; cancel", "call! p.l, call! p.r"),
    TreeRow(
      "R11: a cancel stops every iteration", "w*3(parallel 2)", "begin w[0]; begin w[1]; cancel",
      "call! w[0], call! w[1]"),
    TreeRow(
      "R11: a cancelled iteration is undone with the run", "w*2(parallel 2)^", "ok w[0]; begin w[1]; cancel; stop w[1]",
      "undo w[0]"),
    TreeRow("R11: no rescue after a cancel", "o{a}rescue{z}", "begin o.a; cancel; stop o.a", "end 5"),
    TreeRow(
      "R11: a cancel without rollback leaves it pending", "w*2(parallel 2)^", "ok w[0]; begin w[1]; keep; stop w[1]",
      "end 5"),
    TreeRow(
      "R12: after a crash every call in flight is lost", "p[l r]", "begin p.l; begin p.r; crash",
      "reconcile p.l, reconcile p.r"),
    TreeRow(
      "R12: after a crash the rest goes on", "p[l{x y} r]", "ok p.l.x; begin p.r; crash", "reconcile p.r, begin p.l.y"),
    TreeRow(
      "R12: a crash in a loop", "w*3(parallel 2, failures 1){x^ y}", "ok w[0].x; begin w[1].x; crash",
      "reconcile w[1].x, begin w[0].y"),
    TreeRow(
      "R12: a crash while an iteration is undone", "w*2(failures 1)^",
      "fail w[0]; rest w[0]; begin w[0].undo[0]; crash", "reconcile w[0].undo[0]"),
  ]

  static let loops: [TreeRow] = [
    TreeRow("an iteration that fails is undone at once", "w*2{x^ y} b", "ok w[0].x; refuse w[0].y", "undo w[0].x"),
    TreeRow(
      "more failures than borne end the loop", "w*2{x^ y} b", "ok w[0].x; refuse w[0].y; ok w[0].x.undo[0]", "end 3"),
    TreeRow(
      "its siblings go on while it is undone", "w*3(parallel 2, failures 1){x^ y}",
      "ok w[0].x; ok w[1].x; refuse w[0].y", "undo w[0].x, begin w[1].y"),
    TreeRow(
      "an iteration counts as going on until it is undone", "w*3(parallel 1, failures 1){x^ y}",
      "ok w[0].x; refuse w[0].y", "undo w[0].x"),
    TreeRow(
      "a borne failure lets the loop go on", "w*2(failures 1){x^ y}", "ok w[0].x; refuse w[0].y; ok w[0].x.undo[0]",
      "begin w[1].x"),
    TreeRow(
      "a borne failure ends the run with 3", "w*2(failures 1){x^ y}",
      "ok w[0].x; refuse w[0].y; ok w[0].x.undo[0]; ok w[1].x; ok w[1].y", "end 3"),
    TreeRow(
      "a borne failure without anything to undo ends it with 1", "w*2(failures 1)", "refuse w[0]; ok w[1]", "end 1"),
    TreeRow(
      "a loop that bears everything by its author's word", "w*2(failures 1)~ b", "refuse w[0]; ok w[1]; ok b", "end 0"),
    TreeRow("a loop that fails and is borne", "w*2~ b", "refuse w[0]", "begin b"),
    TreeRow("more than borne starts no further one", "w*3(failures 1)", "refuse w[0]; refuse w[1]", "end 1"),
    TreeRow("more than borne stops the others", "w*3(parallel 2)", "begin w[1]; refuse w[0]", "call! w[1]"),
    TreeRow("finished iterations are undone too when the loop fails", "w*2^ b", "ok w[0]; refuse w[1]", "undo w[0]"),
    TreeRow("a commit keeps a finished iteration", "w*2{x^ k=} b", "ok w[0].x; ok w[0].k; refuse w[1].x", "end 1"),
    TreeRow("a finished iteration is undone by a later failure", "w*1^ b", "ok w[0]; refuse b", "undo w[0]"),
    TreeRow(
      "a batch goes on behind a borne failure", "w*2(batches 1, failures 1, gate {g})^",
      "fail w[0]; rest w[0]; ok w[0].undo[0]", "begin w.gate[1].g"),
    TreeRow("branches go on beside each other", "p[a b c]", "begin p.a; begin p.b", "call p.a, call p.b, begin p.c"),
  ]
}

struct TreeTableTests {
  @Test(arguments: TreeRow.order + TreeRow.rollback + TreeRow.loops)
  func whatIsToBeDoneFollowsFromWhatHappened(_ row: TreeRow) {
    var driver = TreeDriver(row.tree)
    for event in row.events.split(separator: ";") { driver.take(event) }
    #expect(driver.orders == row.orders)
    #expect(!driver.facts.contains { if case .run(.eventIgnored) = $0 { true } else { false } }, "an event was ignored")
  }

  /// A branch that is begun goes on before another is.
  @Test func noMoreStepsGoOnAtOnceThanTheRunAllows() {
    var driver = TreeDriver("p[a b{x y} w*3(parallel 3)]", limit: 2)
    #expect(driver.orders == "begin p.b.x, begin p.a")
    driver.take("ok p.a")
    #expect(driver.orders == "begin p.b.x, begin p.w[0]")
    driver.take("ok p.w[0]")
    #expect(driver.orders == "begin p.b.x, begin p.w[1]")
  }
}
