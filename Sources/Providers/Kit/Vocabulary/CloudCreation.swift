package import Runbook

/// What creating a snapshot and creating a backup have in common.
extension Cloud {
  /// `before` of a creation: ids that already match (never adopted later), and the one among them that takes the name.
  /// A failed one takes no name, so that a retry after "snapshot 802 failed" may use it again.
  package func captureNames(
    _ kind: ItemKind, server: String, _ matches: (CloudItem) -> Bool
  ) async throws(StepFailure) -> [String: Value] {
    let matching = try await items(kind, server: server).filter(matches).sorted(by: CloudItem.newestFirst)
    let taken = matching.first { $0.state == .ready || $0.state == .creating }
    return [
      "matching": .list(matching.map { .string($0.id) }), "taken": taken.map { .string($0.id) } ?? .null,
    ]
  }

  /// The item that has the name already, if the author wants it; a `conflict` if not; nil if the name is free.
  package func reuse(_ kind: ItemKind, _ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    if call.with["max_age"] != nil, try call.with.optionalText("if_exists") != "reuse" {
      throw StepFailure.unfit("`max_age` goes with `if_exists: reuse` only")
    }
    guard let taken = call.before["taken"]?.string else { return nil }
    let server = try call.with.text("server")
    let name = try call.with.optionalText("name") ?? ""
    guard try call.with.optionalText("if_exists") == "reuse" else {
      throw StepFailure(
        .conflict,
        "server \(server) had a \(kind.rawValue) named `\(name)` (\(taken)) before: "
          + "choose another name, or `if_exists: reuse`"
      )
    }
    guard let item = try await item(kind, taken, server: server) else { return nil }
    if let problem = try whyTooOld(kind, item, server, call) { throw StepFailure(.conflict, problem) }
    call.report(
      "uses \(kind.rawValue) `\(item.name.excerpt(64))` (\(item.id)) again, which was made at \(item.createdAt)")
    return ActionResult(outputs: item.outputs)
  }

  /// Why one that is there is too old to be a way back; nil: it is not. Where its time is not known exactly, it is
  /// taken to be as old as it can be.
  func whyTooOld(
    _ kind: ItemKind, _ item: CloudItem, _ server: String, _ call: ActionCall
  ) throws(StepFailure) -> String? {
    let what = "server \(server) has a \(kind.rawValue) named `\(item.name.excerpt(64))` (\(item.id))"
    let when =
      "\(item.createdAt)" + (item.createdAtError > .zero ? ", or up to \(item.createdAtError.text) later" : "")
    if let limit = try call.with.duration("max_age") {
      guard (call.intendedAt ?? call.clock.now) - item.createdAt > limit else { return nil }
      return "\(what) from \(when), which is older than `max_age` (\(limit.text)): choose another name"
    }
    // Clouds tell whole seconds.
    guard let began = call.began, item.createdAt < Timestamp(seconds: began.seconds) else { return nil }
    return "\(what) from \(when), before this run began: choose another name, or allow older ones with `max_age`"
  }

  /// What carries our mark and was not there before. Of several (a lost request that arrived late) the oldest.
  package func findNew(
    _ kind: ItemKind, _ call: ActionCall, _ matches: (CloudItem) -> Bool
  ) async throws(StepFailure) -> ProbeAnswer {
    if call.before["taken"]?.string != nil, try call.with.optionalText("if_exists") == "reuse",
      let reused = try await reuse(kind, call)
    {
      return .applied(reused)
    }
    guard let item = try await newItems(kind, call, matches).last else { return .notApplied }
    return .applied(ActionResult(outputs: item.outputs))
  }

  /// Newest first.
  private func newItems(
    _ kind: ItemKind, _ call: ActionCall, _ matches: (CloudItem) -> Bool
  ) async throws(StepFailure) -> [CloudItem] {
    let known = call.before["matching"]?.list?.compactMap { $0.string } ?? []
    return try await items(kind, server: try call.with.text("server")).filter { matches($0) && !known.contains($0.id) }
      .sorted(by: CloudItem.newestFirst)
  }

  package func observeItem(
    _ kind: ItemKind, _ call: ActionCall, after result: ActionResult
  ) async throws(StepFailure) -> Observation {
    let server = try call.with.text("server")
    guard let id = result.outputs["id"]?.string else {
      throw StepFailure(
        .server, "the id of the new \(kind.rawValue) of server \(server) is not known", effect: .unknown)
    }
    guard let item = try await item(kind, id, server: server, asOf: call.asOf) else {
      throw StepFailure(
        .notFound, "\(kind.rawValue) \(id) of server \(server) is not in the list of \(service)", effect: .applied)
    }
    let verdict: Observation.Verdict =
      switch item.state {
      case .ready: .done
      case .creating: .pending
      case .failed, .deleting, .absent:
        .failed(
          StepFailure(
            .server,
            "\(kind.rawValue) \(id) of server \(server) is `\(item.nativeState)`: \(service) did not finish it; "
              + (limit(kind).map { "delete it, as it counts towards the limit of \($0)" } ?? "delete it"),
            effect: .applied, detail: ["native_state": .string(item.nativeState), "id": .string(id)]))
      }
    var seen = Observation(verdict, nativeState: item.nativeState, result: ActionResult(outputs: item.outputs))
    seen.isUnheard = item.isUnheard
    return seen
  }

  /// Neither the server nor anything new of this call is on its way.
  package func isNewItemAtRest(
    _ kind: ItemKind, _ call: ActionCall, _ matches: (CloudItem) -> Bool
  ) async throws(StepFailure) -> Bool {
    guard try await isAtRest(call) else { return false }
    do {
      let new = try await newItems(kind, call, matches)
      // The new item may show later, unless an existing one was used again.
      if new.isEmpty, call.before["taken"]?.string == nil { return isPastRequests(call) }
      return new.allSatisfy { $0.state != .creating && $0.state != .deleting }
    } catch {
      if error.kind == .notFound { return true }
      throw error
    }
  }

  /// A refused creation is a `limit` if there is no room: only the count tells, the text of the refusal is not
  /// documented.
  package func full(_ kind: ItemKind, server: String, _ failure: StepFailure) async throws(StepFailure) -> StepFailure {
    guard failure.kind == .input, failure.detail["status"] == 400 else { return failure }
    let items: [CloudItem]
    do { items = try await self.items(kind, server: server).filter { $0.isManual } } catch { return failure }
    guard let limit = limit(kind), items.count >= limit else { return failure }
    return failure.renamed(
      "\(roomText(kind, server, items)); delete one, or put `\(kind.rawValue).prune` before this step", kind: .limit)
  }

  /// Server there and in order, name free, room left.
  package func problemsOfCreating(_ kind: ItemKind, _ call: ActionCall) async throws(StepFailure) -> [String] {
    guard let server = try call.with.optionalText("server"), !server.isEmpty else { return [] }
    var problems = try await problems(call)
    guard problems.isEmpty else { return problems }
    let items = try await items(kind, server: server).filter { $0.isManual }
    let taken = try call.with.optionalText("name").flatMap { name in
      items.first { $0.name == name && ($0.state == .ready || $0.state == .creating) }
    }
    if let taken {
      // It is used again, and takes no further room.
      if try call.with.optionalText("if_exists") == "reuse" {
        return try whyTooOld(kind, taken, server, call).map { [$0] } ?? []
      }
      problems.append("server \(server) already has a \(kind.rawValue) named `\(taken.name)` (\(taken.id))")
    }
    guard let limit = limit(kind) else {
      call.report(
        "\(service) does not say how many \(kind.rawValue)s a server may have, so room is not checked")
      return problems
    }
    guard items.count + call.earlier.made >= limit else { return problems }
    if let problem = lackOfRoom(roomText(kind, server, items), kind, call) { problems.append(problem) }
    return problems
  }

  /// A lack of room as a reason not to begin; nil, and told, if an earlier step may make room or this one may be left
  /// out.
  package func lackOfRoom(_ text: String, _ kind: ItemKind, _ call: ActionCall) -> String? {
    let word = kind.rawValue
    let made = call.earlier.made
    let full = made == 0 ? text : "\(text); \(made) more \(made == 1 ? "is" : "are") made by the steps before"
    if let step = call.earlier.freedBy {
      call.report("\(full); step `\(step)` before it may make room")
      return nil
    }
    guard call.earlier.isCertain else {
      call.report("\(full); the step may be skipped or may fail, so the run can begin")
      return nil
    }
    return "\(full): delete one, or put `\(word).prune` before this step"
  }

  private func roomText(_ kind: ItemKind, _ server: String, _ items: [CloudItem]) -> String {
    let names = items.sorted(by: CloudItem.newestFirst).map { "\($0.name.excerpt(64)) (\($0.id))" }.joined(
      separator: ", ")
    let room = limit(kind).map { "\(items.count) of \($0)" } ?? "\(items.count)"
    return "server \(server) has \(room) \(kind.rawValue)s: \(names)"
  }
}
