import Runbook

/// The answer of a run's owner to a message.
enum OwnerWord: Equatable {
  case heeded
  /// With the reason.
  case ignored(String)
  /// It has not said anything yet.
  case silent
}

extension StoreAccess {
  /// How long a command waits for an owner: it may be in the middle of a call that cannot be cut short.
  private static let patience = Duration.seconds(60)
  private static let pollTime = Duration.milliseconds(200)

  /// Waits until the run's owner has answered message number `request`, nobody owns the run any more, or a minute is
  /// over.
  /// - Parameter sequence: of an entry before the answer.
  func word(on request: Int64, to id: String, after sequence: Int64, _ shell: Shell) async throws(Refusal) -> OwnerWord
  {
    let clock = SystemClock()
    let begin = clock.monotonic
    var last = sequence
    var hasSaidSo = false
    while true {
      // Asked before the entries are read: what an owner wrote before it let go of the run is not missed.
      let isLive = await self.isLive(id)
      let entries: [JournalEntry]
      do throws(StoreFailure) { entries = try await store.entries(of: id, after: last) } catch {
        throw Refusal(error, run: id)
      }
      for entry in entries {
        last = entry.sequence
        guard let body = try? JSONReader.read(entry.body), body["_request"]?.int == request else { continue }
        return entry.kind == "request.ignored" ? .ignored(body["reason"]?.string ?? "no reason is given") : .heeded
      }
      let waited = clock.monotonic - begin
      if !isLive || waited >= StoreAccess.patience { return .silent }
      if !hasSaidSo, waited >= .seconds(3) {
        hasSaidSo = true
        shell.note("waiting for the run's owner, which first finishes its current call")
      }
      await clock.sleep(for: StoreAccess.pollTime)
    }
  }

  /// The same of a run that a person may still answer.
  /// - Throws: it has ended, or this release cannot read its runbook.
  func openOutlook(of run: RunSummary) async throws(Refusal) -> RunOutlook {
    guard run.status != "ended" else {
      throw Refusal(
        .usage, .ended, "run \(run.id) has ended already", hint: "`\(Advice.line("show", run.id))` says how")
    }
    guard let outlook = try await outlook(of: run.id) else {
      throw Refusal(
        .usage, .storeNewer, "the runbook of run \(run.id) cannot be read by this release",
        hint: "use the release that started it")
    }
    return outlook
  }

  /// The run judged from its journal; nil if its pinned text is not one that this release reads.
  func outlook(of id: String) async throws(Refusal) -> RunOutlook? {
    do throws(StoreFailure) {
      let pinned = try await RunCreation.read(id, in: store)
      guard let checked = try? CheckedRunbook(pinned.source) else { return nil }
      return try await RunOutlook(of: id, checked.runbook, in: store)
    } catch {
      throw Refusal(error, run: id)
    }
  }
}

extension Refusal {
  /// Only a person can say whether a run of a restored store may go on.
  /// - Parameter command: the words of the command which, with `--restored`, is the answer.
  static func restored(_ id: String, _ command: String...) -> Refusal {
    Refusal(
      .waiting, .restored,
      "run \(id) may have done more than its journal says: its store was put back from an older copy",
      hint: "look at its servers (`\(Advice.line("show", id))`), then say that it may go on: "
        + "`\(Advice.line(command + ["--restored"]))`")
  }
}
