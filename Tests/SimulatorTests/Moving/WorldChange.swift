import Simulator
import Stores

@testable import Runbook
import Testing

/// What is no longer as it was when somebody carries a killed run on.
enum WorldChange: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case nothing
  case secretRotated, secretGone
  case clockForward, clockBack
  case reboot
  case scriptsFolderGone
  case storePutBack
  case answeredTwice
  var testDescription: String { rawValue }

  func apply(to world: MovingWorld) throws {
    switch self {
    case .nothing: break
    case .secretRotated:
      for name in world.secrets.keys { world.rotate(name, to: "https://chat.example.com/rotated-\(name)") }
    case .secretGone:
      for name in Array(world.secrets.keys) {
        world.lose(name)
        world.without.insert(name)
      }
    case .clockForward: world.clock.stepWallClock(by: .seconds(3600))
    case .clockBack: world.clock.stepWallClock(by: .seconds(-3600))
    case .reboot:
      world.scripts.endWithTheMachine()
      world.clock.reboot()
      world.clock.advance(by: .seconds(60))
    case .scriptsFolderGone: world.scripts.lose(place: "another folder")
    case .storePutBack: try world.putStoreBack()
    case .answeredTwice:
      for _ in 0..<2 { try world.post("resolve", ["step": "post", "answer": "fail", "question": 1]) }
    }
  }

  /// Whether the run has noticed it: a change that nobody noticed proves nothing.
  func isNoticed(by world: MovingWorld, _ scenario: Scenario) -> Bool {
    let resumed = world.events("run.resumed").first?.fields
    return switch self {
    case .nothing: true
    case .secretRotated: resumed?["changed"]?.list?.count == world.secrets.count
    case .secretGone: resumed?["without"]?.list?.count == scenario.secrets.count
    case .clockForward, .clockBack: !world.events("clock.set").isEmpty
    // The places and boots stand in the journal, where the next process compares them.
    case .reboot: Set(world.boots).count == 2
    case .scriptsFolderGone: true
    case .storePutBack: world.events("run.restored").count == 1 && world.events("run.restored_accepted").count == 1
    case .answeredTwice: !world.events("request.ignored").isEmpty
    }
  }
}

extension MovingWorld {
  static func key(_ path: String, _ purpose: Purpose, _ attempt: Int) -> String {
    StepKey.make(MovingWorld.runID, path, purpose, attempt)
  }

  /// Boots that stand in the journal.
  var boots: [String] {
    let entries = (try? store.entries(of: MovingWorld.runID, after: 0)) ?? []
    return entries.compactMap { entry in (try? JSONReader.read(entry.body))?["_boot"]?["id"]?.string }
  }

  /// A copy of the store that was made two thirds of the journal ago is put back.
  func putStoreBack() throws {
    let id = MovingWorld.runID
    let entries = try store.entries(of: id, after: 0)
    var summary = try store.summary(of: id)
    summary.isRestored = true
    let locks = try store.locks(of: id)
    let copy = MemoryStore(clock: clock)
    let kept = Array(entries.prefix(max(2, entries.count * 2 / 3)))
    summary.status = "running"
    try copy.restore(summary, entries: kept, requests: [], locks: locks, epoch: kept.last?.epoch ?? 1)
    store = copy
  }
}
