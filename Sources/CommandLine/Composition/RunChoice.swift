import Runbook

/// Which run a person means: by its id, the beginning of one, `latest`, or nothing where only one needs a person.
extension StoreAccess {
  /// Most runs that a refusal names.
  private static let shownLimit = 5

  /// For a command about one run.
  /// - Parameter word: what stands for RUN on the command line; empty if nothing does.
  static func forRun(_ word: String, _ shell: Shell) async throws(Refusal) -> (access: StoreAccess, run: RunSummary) {
    guard word.isEmpty || word == "latest" || isBeginning(word) else {
      throw Refusal(
        .usage, .notFound, "`\(DisplayText.escaped(word, limit: 80))` is not the id of a run",
        hint: "an id is `r` and 19 letters or digits; `\(Advice.line("list"))` shows them")
    }
    let access: StoreAccess
    do throws(Refusal) { access = try StoreAccess(shell, creates: false) } catch {
      guard error.has(.notFound) else { throw error }
      throw word.isEmpty || word == "latest" ? noRun(word) : Refusal(.notFound(word))
    }
    if RunID.isWellFormed(word) {
      do throws(StoreFailure) { return (access, try await access.store.summary(of: word)) } catch {
        throw Refusal(error)
      }
    }
    let run = try await access.choose(word)
    shell.note("run \(run.id) (\(DisplayText.escaped(run.name, limit: 64)))")
    return (access, run)
  }

  private static func isBeginning(_ word: String) -> Bool {
    let isOfID = word.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x7a }
    return word.hasPrefix("r") && word.utf8.count <= 20 && isOfID
  }

  private func choose(_ word: String) async throws(Refusal) -> RunSummary {
    if word.isEmpty {
      let needs = try await needs().map(\.run)
      guard needs.count == 1, let run = needs.first else {
        if needs.isEmpty { throw StoreAccess.noRun(word) }
        throw Refusal(
          .usage, .ambiguous,
          "`RUN` is missing, and \(needs.count) runs need a person: \(StoreAccess.names(needs))",
          hint: "name one of them; `\(Advice.line("list", "--needs-me"))` shows what each needs")
      }
      return run
    }
    let found: [RunSummary]
    do throws(StoreFailure) {
      found = try await word == "latest" ? store.summaries(limit: 1) : store.runs(beginningWith: word)
    } catch {
      throw Refusal(error)
    }
    guard let run = found.first else { throw word == "latest" ? StoreAccess.noRun(word) : Refusal(.notFound(word)) }
    guard found.count == 1 else {
      throw Refusal(
        .usage, .ambiguous, "`\(word)` begins the ids of \(found.count) runs: \(StoreAccess.names(found))",
        hint: "write more of the id, or `latest` for the newest run")
    }
    return run
  }

  private static func noRun(_ word: String) -> Refusal {
    word.isEmpty
      ? Refusal(
        .usage, .usage, "`RUN` is missing, and no run needs a person",
        hint: "name a run by its id, or `latest`; `\(Advice.line("list"))` shows them")
      : Refusal(.usage, .notFound, "there is no run in this store", hint: "`--store` names another store")
  }

  private static func names(_ runs: [RunSummary]) -> String {
    let shown = runs.prefix(shownLimit).map { "\($0.id) (\(DisplayText.escaped($0.name, limit: 32)))" }
    let rest = runs.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}
