@testable import Runbook

/// The truth about a run: what the simulated world has done for each step, and what people have said. The words of the
/// machine are compared with it. A lost request stays a `maybe` until somebody looks, so one state stands for all its
/// possible truths.
struct Ledger: Equatable, Sendable {
  /// Whether something took effect.
  enum Truth: UInt8, Comparable, Sendable {
    case no, maybe, yes
    static func < (left: Truth, right: Truth) -> Bool { left.rawValue < right.rawValue }
  }

  /// Of one step.
  struct Deed: Equatable, Sendable {
    /// By attempts before the current one.
    var before = Truth.no
    /// By the requests of the current attempt.
    var now = Truth.no
    /// Requests without an answer that may still arrive, and a script that may still run.
    var late: UInt8 = 0
    /// The change that a call started is still on its way.
    var isMoving = false
    /// How many times the engine began it.
    var begun: UInt8 = 0
    /// The engine was told that it succeeded.
    var isDone = false
    /// A person left it out.
    var isLeftOut = false

    var happened: Truth { max(before, now) }
    /// Nothing of it can change the world any more.
    var isAtRest: Bool { late == 0 && !isMoving }
  }

  var deeds: [Deed]
  var holdsLocks = true
  /// A cancel was accepted.
  var cancel = Picture.Stop.nothing
  /// A person gave the rollback up.
  var isAbandoned = false

  init(_ places: SearchedPlaces) { deeds = Array(repeating: Deed(), count: places.all.count) }
}
