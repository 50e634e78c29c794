import VPSOrgCloud
import Simulator
import Stores
import Testing

@testable import Runbook

/// What is no longer as it was when somebody carries a killed run on.
enum WorldChange: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case nothing
  case secretRotated, secretGone
  case clockForward, clockBack
  case reboot
  case scriptsFolderGone
  case storePutBack
  case answeredTwice
  /// The owner was frozen instead of killed, and wakes after somebody else has taken the run over.
  case ownerFrozen
  /// The owner is alive where nobody sees its process, as in another pid namespace; then its lease ends.
  case ownerUnseen
  /// Two people carry the run on at the same moment, and answer the same question.
  case twoOperators
  /// The request that was about to leave is on its way, and arrives after the next process has looked.
  case requestLate
  var testDescription: String { rawValue }

  /// How long a late request is on its way: less than what is assumed at the longest, and longer than a look takes.
  static let delay = Duration.seconds(20)
  private static let cloud = "https://admin.vps.org"

  /// Whether the world can change like this after a kill there.
  func isPossible(at place: String) -> Bool {
    switch self {
    // The run is not there yet: nobody owns it, and nothing can be put back.
    case .storePutBack, .ownerFrozen, .ownerUnseen: place != "before the run is created"
    case .requestLate: place.hasPrefix("before sending ") && !place.hasPrefix("before sending GET")
    default: true
    }
  }

  /// Somebody else works on the run, or tries to, beside the one who carries it on.
  var takesTwoProcesses: Bool {
    switch self {
    case .ownerFrozen, .ownerUnseen, .twoOperators: true
    default: false
    }
  }

  func apply(to world: MovingWorld, after life: KillSwitch) async throws {
    switch self {
    case .nothing, .ownerFrozen, .twoOperators: break
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
    case .ownerUnseen: try await refuse(world)
    case .requestLate: try await send(try #require(life.unsent), in: world)
    }
  }

  /// Nobody may take the run over while its owner's lock is held and its lease has not ended.
  private func refuse(_ world: MovingWorld) async throws {
    guard let lease = try world.store.lease(of: MovingWorld.runID) else { return }
    let owner = try world.store.renew(lease, leaseFor: .seconds(10))
    let traces = world.outside.traces
    await #expect(throws: StoreFailure.owned(owner)) { try await world.process().takeOver(MovingWorld.runID) }
    world.clock.advance(by: .seconds(9))
    await #expect(throws: StoreFailure.owned(owner)) { try await world.process().takeOver(MovingWorld.runID) }
    #expect(world.outside.traces == traces)
    world.refused += 1
    world.clock.advance(by: .seconds(2))
  }

  private func send(_ request: HTTPRequest, in world: MovingWorld) async throws {
    if request.url.hasPrefix(WorldChange.cloud) {
      try world.twin.inject("request_late:\(WorldChange.delay.text)")
    } else {
      world.web.delayNext(by: WorldChange.delay)
    }
    let network = world.network
    await #expect(throws: HTTPFailure.self) { try await network.send(request) }
    world.late = world.clock.now + WorldChange.delay
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
    case .ownerFrozen, .ownerUnseen, .twoOperators: world.refused > 0
    case .requestLate: world.late.map { late in world.events("run.resumed").contains { $0.at < late } } ?? false
    }
  }
}

extension MovingWorld {
  static func key(_ path: StepPath, _ purpose: Purpose, _ attempt: Int) -> String {
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
