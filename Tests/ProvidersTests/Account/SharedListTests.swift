import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

@testable import ProviderKit

/// One list that many runs wait on.
@Suite struct SharedListTests {
  private let clock = VirtualClock()

  /// Counts requests; `changes` says from when on each thing is `done`.
  private final class Things: Sendable {
    let asked = Mutex<[Duration]>([])
    let clock: VirtualClock
    let changes: [String: Duration]
    init(_ clock: VirtualClock, _ changes: [String: Duration]) {
      self.clock = clock
      self.changes = changes
    }
    func read() -> [String: String] {
      asked.withLock { $0.append(clock.monotonic) }
      return changes.mapValues { clock.monotonic >= $0 ? "done" : "busy" }
    }
    var count: Int { asked.withLock { $0.count } }
  }

  private func list(_ things: Things) -> SharedList<String> {
    SharedList(clock: clock, fingerprint: { $0.hashValue }) { () async throws(StepFailure) in things.read() }
  }

  @Test func whatIsNewEnoughIsNotAskedForAgain() async throws {
    let things = Things(clock, ["a": .seconds(5)])
    let list = list(things)
    let first = try await list.snapshot(asOf: .zero)
    #expect(first.elements == ["a": "busy"])
    clock.advance(by: .seconds(6))
    #expect(try await list.snapshot(asOf: .zero).elements == ["a": "busy"])
    #expect(try await list.snapshot(asOf: .seconds(6)).elements == ["a": "done"])
    #expect(things.count == 2)
  }

  @Test func aHundredAtOnceCostOneRequest() async throws {
    let things = Things(clock, ["a": .zero])
    let list = list(things)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<100 { group.addTask { try await list.snapshot(asOf: .zero).elements.count } }
      for try await count in group { #expect(count == 1) }
    }
    #expect(things.count == 1)
  }

  @Test func aFailureIsSharedByThoseWhoWantedTheSame() async throws {
    let count = Mutex(0)
    let list = SharedList<String>(clock: clock, fingerprint: { $0.hashValue }) { () async throws(StepFailure) in
      count.withLock { $0 += 1 }
      throw StepFailure(.server, "broken", retryable: true)
    }
    for _ in 0..<10 { await #expect(throws: StepFailure.self) { _ = try await list.snapshot(asOf: .zero) } }
    #expect(count.withLock { $0 } == 1)
  }

  /// A hundred runs wait for a hundred things that change at different times over five minutes: one request a tick.
  @Test func aHundredWaitsCostOneRequestATick() async throws {
    let names = (0..<100).map { "thing-\($0)" }
    let times = Dictionary(
      uniqueKeysWithValues: names.enumerated().map { ($0.element, Duration.seconds(10 + 3 * $0.offset)) })
    let things = Things(clock, times)
    let list = list(things)
    // One that waits as long as all of them, so that none is ever alone.
    let longest = times.values.max() ?? .zero
    let clock = clock
    await withTaskGroup(of: Void.self) { group in
      for name in names {
        group.addTask {
          var asOf: Duration? = .zero
          while true {
            let seen = (try? await list.snapshot(asOf: asOf ?? clock.monotonic).elements[name]) ?? nil
            if seen == "done", clock.monotonic >= longest { return }
            asOf = await list.awaitNews(of: name, seen: seen.hashValue, atMost: .seconds(15))
          }
        }
      }
    }
    let ticks = Int(longest.components.seconds) * 1000 / 900
    #expect(things.count <= ticks + 10, "\(things.count) requests, \(ticks) ticks")
    #expect(list.waiting == 0)
  }

  @Test func aCancelledWaitReturnsAtOnceAndLeavesNothing() async throws {
    let things = Things(clock, ["a": .seconds(1000)])
    let list = SharedList<String>(clock: clock.passive, fingerprint: { $0.hashValue }) { () async throws(StepFailure) in
      things.read()
    }
    let tasks = (0..<10).map { _ in
      Task { await list.awaitNews(of: "a", seen: Optional("busy").hashValue, atMost: .seconds(900)) }
    }
    for _ in 0..<20 { await Task.yield() }
    for task in tasks { task.cancel() }
    for task in tasks { _ = await task.value }
    #expect(list.waiting == 0)
  }

  @Test(
    arguments: [(1, 4000), (4, 4000), (16, 2000), (64, 1000), (900, 950), (1600, 750), (10_000, 500)] as [(Int, Int64)])
  func theMoreWaitTheShorterIsTheTick(waiting: Int, milliseconds: Int64) {
    #expect(Tick.interval(waiting: waiting) == .milliseconds(milliseconds))
  }
}
