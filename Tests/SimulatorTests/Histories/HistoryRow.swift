import Testing

/// A decision about a history: by the release that wrote it, and now. A plain text where both are the same.
struct Verdict: ExpressibleByStringLiteral, Sendable {
  var was: String
  var now: String
  /// Why it is no longer what it was; never empty where they differ.
  var because: String

  init(stringLiteral same: String) {
    was = same
    now = same
    because = ""
  }

  init(was: String, now: String, because: String) {
    self.was = was
    self.now = now
    self.because = because
  }
}

/// One history, a world to carry it on in, and what becomes of it.
struct HistoryRow: Sendable, CustomTestStringConvertible {
  /// The file's name without its end.
  var name: String
  /// The machine's order at the journal's end and, if it is another one then, once another process has taken the run
  /// over: `call long, then reconcile long`. `done 3`: it has ended, with this exit code.
  var asks: Verdict
  /// How it ends when it is carried on, and which locks it holds then: `exit 3, rollback succeeded`, `parked publish,
  /// holds rack-2`, `left: …`, `never ends`. Begins with `rollback resume: ` where a run that has ended owes a rollback
  /// and a person has it carried on. `-`: it has ended and owes nothing.
  var ends: Verdict
  /// Scripts begun and requests sent on the way, in order: `sh echo undone`, `PUT /item`, `ssh`. Of several equal ones
  /// in a row the first. After a pause of a minute or more: `1m later: DELETE /item`.
  var does: [String]
  var world: HistoryWorld.Facts

  init(
    _ name: String, in world: HistoryWorld.Facts = .init(), asks: Verdict, ends: Verdict = "-", does: [String] = []
  ) {
    self.name = name
    self.asks = asks
    self.ends = ends
    self.does = does
    self.world = world
  }

  /// A run that has ended and owes nothing, with its exit code.
  static func ended(_ name: String, _ exitCode: Int32) -> HistoryRow {
    HistoryRow(name, asks: Verdict(stringLiteral: "done \(exitCode)"))
  }

  var hasEnded: Bool { asks.now.hasPrefix("done ") }
  var testDescription: String { world.note.isEmpty ? name : "\(name) (\(world.note))" }

  static let all = endings + parked + left + killed + rollbacks + clouds + wrong
}
