@testable import Runbook

/// Tells two states apart: it is made of everything on which the future of a state depends, and of nothing else. It has
/// two lanes of 64 bits, so that two of ten million states share a key with a probability of one in 10²⁴.
struct StateKey: Hashable, Sendable {
  private(set) var first: UInt64 = 0x243F_6A88_85A3_08D3
  private(set) var second: UInt64 = 0x1319_8A2E_0370_7344

  private mutating func add(_ word: UInt64) {
    first = (first ^ word) &* 0x9E37_79B9_7F4A_7C15
    first ^= first >> 29
    second = (second &+ word) &* 0xC2B2_AE3D_27D4_EB4F
    second ^= second >> 31
  }

  init(_ situation: Situation, _ bounds: Bounds) {
    let (picture, ledger) = (situation.picture, situation.ledger)
    for place in picture.leaves.indices {
      add(Self.word(picture.leaves[place], picture, bounds) | Self.word(ledger.deeds[place], situation, place) << 40)
    }
    for entry in picture.entries { add(UInt64(entry.place) << 8 | UInt64(entry.state.rawValue) | 1 << 63) }
    var flags = picture.flags
    if !situation.remembersKill { flags.remove(.wasResumed) }
    var word = UInt64(flags.rawValue) | UInt64(UInt8(bitPattern: picture.active)) << 16
    word |= UInt64(picture.cursor) << 24 | UInt64(picture.stop.rawValue) << 28
    word |= UInt64(min(picture.questions, bounds.questions)) << 32 | (picture.isTold ? 1 << 36 : 0)
    word |= UInt64(UInt8(bitPattern: picture.failedStep)) << 40
    word |= UInt64(picture.rollback.map { Self.number($0) } ?? 0) << 48
    word |= UInt64(picture.end.map { $0.exitCode + 1 } ?? 0) << 52
    add(word)
    add(
      (ledger.holdsLocks ? 1 : 0) | UInt64(ledger.cancel.rawValue) << 1 | (ledger.isAbandoned ? 1 << 5 : 0)
        | UInt64(picture.end.map { Self.number($0.rollback) } ?? 0) << 8)
  }

  /// At most 40 bits.
  private static func word(_ leaf: Picture.Leaf, _ picture: Picture, _ bounds: Bounds) -> UInt64 {
    var word = number(leaf.status) | number(leaf.purpose) << 4 | number(leaf.effect) << 8
    word |= (leaf.isLost ? 1 << 10 : 0) | UInt64(min(leaf.lostRequests, 3)) << 11
    word |= (leaf.error == nil ? 0 : 1 << 13) | (leaf.isLeftOut ? 1 << 14 : 0) | (leaf.hasStarted ? 1 << 15 : 0)
    // A step that has ended has no next attempt, but for an undo step that a person may have tried again.
    guard !leaf.status.isEnded || leaf.purpose == .undo && !leaf.status.isDone else { return word }
    word |= UInt64(min(leaf.tries, bounds.attempts)) << 16
    guard !leaf.status.isEnded else { return word }
    word |= UInt64(leaf.progress.rawValue) << 20 | UInt64(min(leaf.sends, bounds.sends)) << 23
    word |= number(leaf.effectBefore) << 26 | (leaf.error.map { number($0) + 1 } ?? 0) << 28
    word |= UInt64(leaf.approvals) << 30 | (leaf.key == leaf.attempt ? 1 << 33 : 0)
    word |= leaf.question == 0 ? 0 : leaf.question == picture.questions ? 1 << 34 : 1 << 35
    return word
  }

  /// At most 24 bits.
  private static func word(_ deed: Ledger.Deed, _ situation: Situation, _ place: Int) -> UInt64 {
    let isUndo = situation.places.all[place].purpose == .undo
    var word = UInt64(deed.before.rawValue) | UInt64(deed.now.rawValue) << 2
    word |= UInt64(isUndo ? min(deed.late, 1) : deed.late) << 4
    word |= UInt64(isUndo ? min(deed.begun, 1) : min(deed.begun, 3)) << 6
    word |= (deed.isDone ? 1 << 8 : 0) | (deed.isLeftOut ? 1 << 9 : 0)
    if deed.isMoving, !isUndo { word |= 1 << 10 }
    return word
  }

  private static func number(_ effect: Effect) -> UInt64 {
    switch effect {
    case .none: 0
    case .unknown: 1
    case .applied: 2
    }
  }

  private static func number(_ status: StepStatus) -> UInt64 {
    switch status {
    case .pending: 0
    case .skipped: 1
    case .started: 2
    case .succeeded: 3
    case .failed: 4
    case .cancelled: 5
    case .unknown: 6
    case .notRun: 7
    case .notApplied: 8
    }
  }

  private static func number(_ purpose: Purpose) -> UInt64 {
    switch purpose {
    case .do: 0
    case .undo: 1
    case .always: 2
    case .onFailure: 3
    case .onRollbackFailure: 4
    case .stopIf: 5
    }
  }

  private static func number(_ rollback: RollbackOutcome) -> UInt8 {
    switch rollback {
    case .none: 1
    case .succeeded: 2
    case .failed: 3
    case .blocked: 4
    case .pending: 5
    case .notNeeded: 6
    }
  }
}
