import Foundation
import TestSupport
import Testing

@testable import Runbook

/// Journals that earlier releases wrote are read, understood and carried on by this one. How a history is added and how
/// an expectation is changed stands in `Tests/RunbookTests/Histories/README.md`.
@Suite struct HistoryTests {
  @Test func everyHistoryStandsInTheTable() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Repository.path(History.folder))
      .filter { $0.hasSuffix(".history") }.map { String($0.dropLast(8)) }
    let rows = HistoryRow.all.map(\.name)
    #expect(files.count > 40)
    #expect(Set(files).subtracting(rows) == [], "files without a row in the table")
    #expect(Set(rows).subtracting(files) == [], "rows without a file")
    #expect(Set(HistoryRow.all.map(\.testDescription)).count == rows.count, "two rows are the same")
  }

  @Test(arguments: HistoryRow.all)
  func aChangedExpectationSaysWhy(_ row: HistoryRow) {
    for verdict in [row.asks, row.ends] { #expect((verdict.was == verdict.now) == verdict.because.isEmpty) }
  }

  @Test(arguments: HistoryRow.all)
  func everyEntryIsReadAndAppliedByItsNumber(_ row: HistoryRow) throws {
    let history = try History.named(row.name)
    #expect(history.entries.map(\.sequence) == (1...history.entries.count).map { Int64($0) })
    #expect(history.entries.map(\.epoch).max() ?? 0 <= history.epoch)
    _ = try history.machine()
  }

  /// The fact that is read is the entry that was written: nothing in it is lost on this release.
  @Test(arguments: HistoryRow.all)
  func aFactReadIsWrittenAgainAsItWas(_ row: HistoryRow) throws {
    for entry in try History.named(row.name).entries {
      let written = try Fact(entry).entry(at: entry.at)
      #expect(written.kind == entry.kind)
      let old = try #require(try JSONReader.read(entry.body).map)
      let new = try #require(try JSONReader.read(written.body).map)
      // A later release may write more; what stood there before stands there unchanged.
      for (name, value) in old { #expect(new[name] == value, "\(entry.kind) \(entry.sequence): `\(name)`") }
    }
  }

  @Test(arguments: HistoryRow.all.filter(\.hasEnded))
  func aRunThatHasEndedKeepsItsEnding(_ row: HistoryRow) throws {
    let history = try History.named(row.name)
    let machine = try history.machine()
    #expect(machine.ended?.outcome.rawValue == history.summary.outcome)
    #expect(machine.rollback?.rawValue == history.summary.rollback)
    #expect(machine.ended?.exitCode == history.summary.exitCode)
    #expect(machine.status == history.summary.status)
    let events = history.entries.compactMap { RunEvent($0, runID: history.summary.id) }
    let report = RunReport(id: history.summary.id, plan: UndoPlan(history.runbook), events: events)
    #expect(report.status == .ended)
    #expect(report.outcome?.text == history.summary.outcome)
    #expect(report.rollback?.text == history.summary.rollback)
    #expect(report.exitCode == history.summary.exitCode.map { Int64($0) })
  }

  @Test(arguments: HistoryRow.all)
  func aRunAsksForWhatTheTableSays(_ row: HistoryRow) throws {
    let history = try History.named(row.name)
    let asked = order(of: try history.machine(), of: history)
    #expect(asked == row.asks.now, "\(row.testDescription) asks for: \(asked)")
  }

  @Test(arguments: HistoryRow.all)
  func aRunIsCarriedOnToItsEnd(_ row: HistoryRow) async throws {
    let world = try await HistoryWorld(row)
    let end = row.hasEnded ? try await world.resumeRollback() ?? "-" : try await world.carryOn()
    #expect(end == row.ends.now, "\(row.testDescription) ends: \(end)")
    #expect(world.log.all == row.does, "\(row.testDescription) does: \(world.log.all)")
  }

  /// A process may have died behind any of its commits.
  @Test(arguments: HistoryRow.all)
  func aCutAnywhereLeavesSomethingToDo(_ row: HistoryRow) throws {
    let history = try History.named(row.name)
    var machine = RunMachine(history.runbook)
    for (fact, at) in try history.facts() {
      machine.apply(fact, at: at)
      var taken = machine
      taken.apply(.run(.resumed(RunResumed(epoch: history.epoch + 1, host: "cut", pid: 1))), at: at)
      for machine in [machine, taken] {
        guard case .done(let ended)? = machine.orders.first else {
          #expect(!machine.status.isEmpty && machine.status != "ended")
          #expect(!machine.orders.isEmpty)
          for order in machine.orders where order.path != .root {
            #expect(machine.step(at: order.path) != nil, "`\(order.path)` is no step of it")
          }
          continue
        }
        #expect(machine.ended == ended)
      }
    }
  }

  @Test(arguments: HistoryRow.all)
  func aRunThatIsCutAnywhereIsCarriedOnToSomeEnd(_ row: HistoryRow) async throws {
    let count = try History.named(row.name).entries.count
    for cut in stride(from: 2, to: count, by: Campaign.count(5, torture: 1)) {
      let world = try await HistoryWorld(row, cut: cut)
      guard try world.history.machine().ended == nil else { continue }
      let end = try await world.carryOn()
      // In a world where the whole history never ends its beginnings need not either.
      guard !row.ends.now.hasPrefix("never ends") else { continue }
      #expect(end.hasPrefix("exit ") || end.hasPrefix("parked "), "\(row.testDescription), cut behind \(cut): \(end)")
    }
  }

  /// `call long, then reconcile long`.
  private func order(of machine: RunMachine, of history: History) -> String {
    var taken = machine
    let end = history.entries.last?.at ?? history.summary.startedAt
    taken.apply(.run(.resumed(RunResumed(epoch: history.epoch + 1, host: "next", pid: 1))), at: end + .seconds(5))
    let (first, then) = (text(machine.orders), text(taken.orders))
    return first == then ? first : "\(first), then \(then)"
  }

  private func text(_ orders: [Order]) -> String { orders.map { text($0) }.joined(separator: " and ") }

  private func text(_ order: Order) -> String {
    switch order {
    case .check: "check"
    case .begin(let path, let purpose): "begin \(path) (\(purpose.rawValue))"
    case .open(let path): "open \(path)"
    case .close(let path): "close \(path)"
    case .call(let path): "call \(path)"
    case .reconcile(let path): "reconcile \(path)"
    case .retry(let path, _): "retry \(path)"
    case .watch(let path): "watch \(path)"
    case .ask(let path, _): "ask \(path)"
    case .tell(let path): "tell \(path)"
    case .park(let path, _): "park \(path)"
    case .settle(let path): "settle \(path)"
    case .judge: "judge the drill"
    case .evaluateOutputs: "outputs"
    case .awaitRestored: "await a word about a restored store"
    case .done(let ended): "done \(ended.exitCode)"
    }
  }
}
