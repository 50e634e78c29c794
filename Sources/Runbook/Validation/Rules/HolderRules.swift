/// The keywords of steps that hold others.
enum HolderWord: String, CaseIterable {
  case block, parallel, call

  static let words = allCases.map(\.rawValue)
}

/// What all steps have in common that hold others: where they may stand, and which keys mean something beside them.
extension Validation {
  /// Keys of steps that hold others.
  static let holderKeys = HolderWord.words + ["rescue", "for_each"]

  /// Only steps of `steps` hold others.
  func mayHold(_ word: Node.Entry, in section: StepSection) -> Bool {
    if section.isMain { return true }
    let hint =
      switch word.key {
      case "for_each": "write a step for each item"
      case "parallel": "write its steps one after the other"
      default: section.isUndo ? "write its steps into the `rollback` itself" : "write its steps there one by one"
      }
    sink.error(
      .context, at: word.keyRange, "`\(word.key)` cannot stand in `\(section.word)`",
      hint: section == .onWaiting ? "write one step for each message" : hint)
    return false
  }

  /// A commit closes what all steps of its scope have to undo, and branches share their scope.
  func mayCommit(_ kind: Node.Entry, _ act: Act) -> Bool {
    guard act.info.declaration.isCommit, let line = around.parallelLine else { return true }
    sink.error(
      .context, at: act.said(kind).place,
      "`\(act.said(kind).word)` cannot stand in a branch of `parallel` (line \(line)): "
        + "the other branches could then no longer be undone",
      hint: "put it behind the `parallel`")
    return false
  }

  // MARK: One step that holds others

  /// A step that holds others, while it is read.
  struct Holder {
    let place: StepNode
    let keyword: Node.Entry
    let word: HolderWord
    var fields: FieldReader
    var part: CompositePart
    /// Where its `timeout` is written.
    var timeoutPlace: SourceRange?

    var path: StepPath { part.path }
  }

  func holder(_ word: HolderWord, _ kind: Node.Entry, _ place: StepNode) -> Step? {
    var fields = FieldReader(place.entries, of: place.node, "the step", sink)
    _ = fields.take(kind.key)
    let id = fields.takeEntry("id").flatMap { stepId($0, in: place.section) }
    if let id { checkHolderID(id, at: place.entries) }
    var part = CompositePart(
      path: place.section.path(place.index, id), id: id, title: id ?? title(word, kind), range: place.node.range)
    if let name = fields.take("name") { part.title = read.text(name, "name", limit: 200) ?? part.title }
    if let condition = fields.take("if") { part.condition = expression(condition, "if", expecting: .bool) }
    let timeout = fields.takeEntry("timeout")
    if let timeout { part.timeout = read.duration(timeout.value, "timeout", in: Limits.timeout) }
    if let node = fields.take("continue_on_error") {
      part.continuesOnError = read.bool(node, "continue_on_error") ?? false
    }
    refuseBesideHolder(word, &fields)
    var holder = Holder(
      place: place, keyword: kind, word: word, fields: fields, part: part, timeoutPlace: timeout?.keyRange)
    hideUnderWay(id, at: place.node.range)
    return boundingTimeouts(of: holder) {
      switch word {
      case .block: .block(block(&holder))
      case .parallel: .parallel(parallel(&holder))
      case .call: call(&holder).map { .call($0) }
      }
    }
  }

  private func title(_ word: HolderWord, _ kind: Node.Entry) -> String {
    word == .call ? "call \(kind.value.scalar?.text.excerpt(100) ?? "")" : word.rawValue
  }

  /// Steps of a drill's steady state have paths that begin with this word.
  private func checkHolderID(_ id: String, at entries: [Node.Entry]) {
    guard id == "drill", let entry = entries.first(where: { $0.key == "id" }) else { return }
    sink.error(
      .nameReserved, at: entry.value.range, "the id `drill` of a step that holds others is a word of the language",
      hint: "write `drill_` or another name")
  }

  // MARK: Keys beside it

  /// Takes the keys out that mean nothing beside this keyword, and tells each.
  private func refuseBesideHolder(_ word: HolderWord, _ fields: inout FieldReader) {
    for key in Validation.stepKeys + ["rescue"] {
      guard let reason = Validation.whyNot(key, beside: word), let entry = fields.takeEntry(key) else { continue }
      sink.error(.context, at: entry.keyRange, reason.message, hint: reason.hint)
    }
  }

  private static func whyNot(_ key: String, beside word: HolderWord) -> (message: String, hint: String)? {
    let steps = word == .call ? "the steps of its file" : "its steps"
    let it = "a `\(word.rawValue)`"
    switch key {
    case "retry": return ("\(it) is not repeated as a whole", "write `retry` at \(steps)")
    case "wait":
      return ("\(it) has nothing of its own to wait for", "write `wait` at \(steps), or a `wait_for` after them")
    case "expect": return ("\(it) has no result of its own to check", "write `expect` at \(steps)")
    case "env": return ("\(it) runs no script itself, so `env` means nothing to it", "write `env` at \(steps)")
    case "provider" where word == .call:
      return ("the providers of a `call` are those of its file", "declare them there under `providers:`")
    case "provider": return ("\(it) reaches no cloud itself", "write `provider` at \(steps)")
    case "idempotent", "effect", "on_crash":
      return ("\(it) changes nothing itself, so `\(key)` means nothing to it", "write `\(key)` at \(steps)")
    case "rollback" where word != .call:
      return ("\(it) has nothing to undo but what its steps have done", "write `rollback` at \(steps)")
    case "outputs" where word == .call:
      return ("the outputs of a `call` are those of its file", "write `outputs:` at the top level of that file")
    case "with" where word != .call:
      return ("`with` belongs to `action`, `wait_for` and `call`", "take it out")
    case "rescue" where word != .block:
      return ("`rescue` belongs to `block`", "put the step into a `block:`, and `rescue:` beside that")
    default: return nil
    }
  }

  /// A key of the language that stands where it means nothing.
  func strayKey(_ entry: Node.Entry) -> Diagnostic? {
    switch entry.key {
    case "with":
      return Diagnostic(
        .context, at: entry.keyRange, "`with` belongs to `action`, `wait_for` and `call`", hint: "take it out")
    case "rescue":
      return Diagnostic(
        .keyMissing, at: entry.keyRange, "`rescue` needs `block`",
        hint: "put the steps that may fail under `block:`, beside it")
    case "batches", "max_parallel", "max_failures", "gate":
      return Diagnostic(
        .context, at: entry.keyRange, "`\(entry.key)` stands inside `for_each`",
        hint: "write `for_each: {in: LIST, \(entry.key): …}`")
    case "steps":
      return Diagnostic(
        .context, at: entry.keyRange, "`steps` cannot stand in a step", hint: "write `block:` before a list of steps")
    case "always":
      return Diagnostic(
        .context, at: entry.keyRange, "`always` cannot stand in a step", hint: "write `always:` at the top level")
    default: return nil
    }
  }

  // MARK: Timeouts

  /// The longest time that a step has been given in writing.
  struct WrittenTimeout {
    var title: String
    var line: Int
    var timeout: Duration
  }

  func note(_ timeout: Duration, of title: String, at place: SourceRange) {
    if let longest = longestTimeout, longest.timeout >= timeout { return }
    longestTimeout = WrittenTimeout(title: title, line: place.start.line, timeout: timeout)
  }

  /// The timeout of a step that holds others ends these, too, so theirs should not be longer.
  private func boundingTimeouts(of holder: Holder, _ read: () -> Step?) -> Step? {
    let outer = longestTimeout
    longestTimeout = nil
    let step = read()
    let inside = longestTimeout
    longestTimeout = outer
    if let timeout = holder.part.timeout, let place = holder.timeoutPlace {
      if let inside, inside.timeout > timeout {
        warn(
          .warnTimeout, at: place,
          "`\(holder.part.title)` ends after \(timeout.text), and `\(inside.title)` (line \(inside.line)) in it "
            + "may take \(inside.timeout.text)",
          hint: "make this `timeout` longer, or that one shorter")
      }
      note(timeout, of: holder.part.title, at: holder.place.node.range)
    } else if let inside {
      longestTimeout = outer.map { $0.timeout >= inside.timeout ? $0 : inside } ?? inside
    }
    return step
  }
}

extension Step {
  /// Whatever happens, no step after it is reached.
  var alwaysFails: Bool {
    if condition != nil || continuesOnError { return false }
    return switch self {
    case .action(let step): step.action.alwaysFails
    case .block(let block): block.steps.alwaysFails && block.rescue?.alwaysFails ?? true
    case .parallel(let parallel): parallel.branches.alwaysFails
    case .call(let call): call.runbook.steps.alwaysFails
    // There may be no item.
    case .loop: false
    }
  }
}

extension Body {
  fileprivate var alwaysFails: Bool { steps.contains { $0.alwaysFails } }
}
