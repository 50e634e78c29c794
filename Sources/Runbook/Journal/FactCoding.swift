/// Facts to journal entries and back. An entry that does not decode is damage, named by its sequence number.
extension Fact {
  /// For a fact without secrets.
  public func entry(at instant: Timestamp) -> NewEntry { entry(at: instant, .none) }

  func entry(at instant: Timestamp, _ secrets: SecretCoder) -> NewEntry {
    let (kind, fields) = fields(secrets)
    return NewEntry(at: instant, kind: kind, body: JSONWriter.bytes(.map(fields)))
  }

  /// The masked fields, and beside those that need it the marks from which a later process has the true values.
  func fields(_ secrets: SecretCoder) -> (kind: String, body: [String: Value]) {
    let (kind, optionals) = coded
    var fields = optionals.compactMapValues { $0 }
    for name in Fact.carriers {
      guard let value = fields[name] else { continue }
      if let marks = ValueMarks.of(value, secrets) { fields["_\(name)_marks"] = marks }
      fields[name] = secrets.masker.mask(value).showingStored
    }
    return (kind, fields)
  }

  /// Fields that hold values of authors and actions: instants, durations and secrets among them.
  fileprivate static let carriers = ["inputs", "outputs", "with", "_env", "_result", "_before", "_inherited"]

  private var coded: (kind: String, fields: [String: Value?]) {
    switch self {
    case .runStarted(let run):
      (
        "run.started",
        [
          "name": .string(run.name), "file": .string(run.file), "inputs": .map(run.inputs), "key": text(run.key),
          "requester": .string(run.requester), "simulated": .bool(run.simulated), "rerun_of": text(run.rerunOf),
          "from_step": text(run.fromStep), "_inherited": run.inherited.isEmpty ? nil : .map(run.inherited),
          "unsearched": run.unsearched.isEmpty ? nil : .list(run.unsearched.map { .string($0) }),
          "_boot": run.boot?.coded,
          "_secrets": run.secretDigests.isEmpty ? nil : .map(run.secretDigests.mapValues { .string($0) }),
        ]
      )
    case .runPinned(let source):
      (
        "run.pinned",
        [
          "_text": .string(source.text), "_folder": .string(source.folder),
          "_files": .map(source.files.mapValues { .string(Hex.text($0)) }),
        ]
      )
    case .runResumed(let run):
      (
        "run.resumed",
        [
          "epoch": .int(run.epoch), "host": .string(run.host), "pid": .int(run.pid), "_boot": run.boot?.coded,
          "without": run.without.isEmpty ? nil : .list(run.without.map { .string($0) }),
          "changed": run.changed.isEmpty ? nil : .list(run.changed.map { .string($0) }),
        ]
      )
    case .runChecked(let problems): ("run.checked", ["problems": .list(problems.map { .string($0) })])
    case .stepStarted(let step): step.coded
    case .attemptStarted(let step, let attempt, let key, let cleared):
      (
        "attempt.started",
        [
          "step": .string(step), "attempt": .int(Int64(attempt)), "_key": .string(key),
          "_cleared": cleared ? true : nil,
        ]
      )
    case .requestFound(let step): ("request.found", ["step": .string(step)])
    case .requestCleared(let step): ("request.cleared", ["step": .string(step)])
    case .scriptAdopted(let step): ("script.adopted", ["step": .string(step)])
    case .attemptEnded(let ended):
      (
        "attempt.ended",
        [
          "step": .string(ended.step), "attempt": .int(Int64(ended.attempt)), "error": ended.error?.value,
          "retry_at": ended.retryAt.map { .timestamp($0) }, "_result": ended.result.coded,
        ]
      )
    case .stepWaiting(let step, let nativeState, let until, let deadline, let result):
      (
        "step.waiting",
        [
          "step": .string(step), "native_state": text(nativeState), "until": .string(until),
          "deadline": .timestamp(deadline), "_result": result?.coded,
        ]
      )
    case .stepEnded(let ended): ended.coded
    case .runWaiting(let step, let until, let error, let question):
      (
        "run.waiting",
        [
          "for": "resolve", "step": .string(step), "until": .timestamp(until), "error": error?.value,
          "question": .int(Int64(question)),
        ]
      )
    case .stepResolved(let step, let answer, let by, let request):
      (
        "step.resolved",
        ["step": .string(step), "answer": .string(answer.rawValue), "by": .string(by), "_request": .int(request)]
      )
    case .approvalAsked(let question): question.coded
    case .approvalAnswered(let answer): answer.coded
    case .waitingTold(let told): told.coded
    case .cancelRequested(let by, let rollback, let request):
      ("cancel.requested", ["by": .string(by), "rollback": .bool(rollback), "_request": .int(request)])
    default: codedAnswer
    }
  }

  /// What people said, the rollback, and how the run came to its end.
  private var codedAnswer: (kind: String, fields: [String: Value?]) {
    switch self {
    case .requestIgnored(let request, let reason):
      ("request.ignored", ["_request": .int(request), "reason": .string(reason)])
    case .storeRestored: ("run.restored", [:])
    case .restoredAccepted(let by): ("run.restored_accepted", ["by": .string(by)])
    case .lockFreed(let lock, let reason, let by):
      ("lock.freed", ["lock": .string(lock), "reason": .string(reason), "by": .string(by)])
    case .clockSet(let by): ("clock.set", ["by": .string(by.text), "_milliseconds": .int(by.milliseconds)])
    case .drillJudged(let verdict): ("drill.judged", verdict.fields)
    case .rollbackStarted(let reason): ("rollback.started", ["reason": .string(reason)])
    case .undoSettled(let step): ("undo.settled", ["step": .string(step)])
    case .undoClosed(let step, let reason): ("undo.closed", ["step": .string(step), "reason": .string(reason)])
    case .rollbackEnded(let outcome, let failedStep, let error):
      (
        "rollback.ended",
        ["outcome": .string(outcome.rawValue), "failed_step": text(failedStep), "error": error?.value]
      )
    case .rollbackResumed(let by, let request): ("rollback.resumed", ["by": .string(by), "_request": .int(request)])
    case .undoSkipped(let entry, let reason, let by, let request):
      (
        "undo.skipped",
        ["entry": .string(entry), "reason": .string(reason), "by": .string(by), "_request": .int(request)]
      )
    case .rollbackAbandoned(let reason, let by, let request):
      ("rollback.abandoned", ["reason": .string(reason), "by": .string(by), "_request": .int(request)])
    case .outputsReady(let outputs, let error):
      ("run.outputs", ["outputs": .map(outputs), "error": error?.value])
    case .runEnded(let ended):
      (
        "run.ended",
        [
          "outcome": .string(ended.outcome.rawValue), "rollback": .string(ended.rollback.rawValue),
          "exit_code": .int(Int64(ended.exitCode)), "outputs": .map(ended.outputs), "drill": ended.drill?.value,
        ]
      )
    case .runLeft(let reason): ("run.left", ["reason": .string(reason), "exit_code": 9])
    case .runStarted, .runPinned, .runResumed, .runChecked, .stepStarted, .attemptStarted, .requestFound,
      .requestCleared, .scriptAdopted, .attemptEnded, .stepWaiting, .stepEnded, .runWaiting, .stepResolved,
      .approvalAsked, .approvalAnswered, .waitingTold, .cancelRequested:
      coded
    }
  }
}

private func text(_ text: String?) -> Value? { text.map { .string($0) } }

extension StepStarted {
  /// The name under which `with` holds a script's variables.
  static let environment = "_env"

  fileprivate var coded: (String, [String: Value?]) {
    var arguments = with
    let environment = arguments.removeValue(forKey: StepStarted.environment)
    var fields: [String: Value?] = [
      "title": .string(title), "action": .string(action), "class": .string(effectClass.rawValue),
      "effect": .string(effect.rawValue), "purpose": .string(purpose.rawValue), "attempt": 1, "_key": .string(key),
      "_digest": digest.isEmpty ? nil : .string(digest), "with": arguments.isEmpty ? nil : .map(arguments),
      "_env": environment, "_once": keepsArguments ? true : nil, "_place": text(scriptPlace),
      "_before": before.isEmpty ? nil : .map(before), "deadline": .timestamp(deadline), "_wait": isWait ? true : nil,
    ]
    return (undoFields(step, purpose, &fields) ? "undo.started" : "step.started", fields)
  }
}

extension StepEnded {
  fileprivate var coded: (String, [String: Value?]) {
    var fields: [String: Value?] = [
      "purpose": .string(purpose.rawValue), "status": .string(status.rawValue), "attempts": .int(Int64(attempt)),
      "outputs": outputs.isEmpty ? nil : .map(outputs), "error": error?.value,
      "_effect": effect.map { .string($0.rawValue) },
    ]
    return (undoFields(step, purpose, &fields) ? "undo.ended" : "step.ended", fields)
  }
}

/// Writes the path: for an undo step the step it undoes as `step` and itself as `entry`.
private func undoFields(_ path: String, _ purpose: Purpose, _ fields: inout [String: Value?]) -> Bool {
  guard purpose == .undo else {
    fields["step"] = .string(path)
    return false
  }
  fields["step"] = .string(UndoPath.owner(of: path))
  fields["entry"] = .string(path)
  return true
}

/// `update.undo[0]` belongs to `update`.
public enum UndoPath {
  public static func owner(of path: String) -> String {
    var bytes = path.utf8[...]
    while let dot = bytes.lastIndex(of: UInt8(ascii: ".")) {
      if bytes[dot...].starts(with: ".undo[".utf8) { return String(bytes[..<dot]) ?? path }
      bytes = bytes[..<dot]
    }
    return path
  }
}

extension ActionResult {
  fileprivate var coded: Value? {
    outputs.isEmpty && result.isEmpty ? nil : .map(["outputs": .map(outputs), "result": .map(result)])
  }
  fileprivate init(coded: Value?) {
    self.init(outputs: coded?["outputs"]?.map ?? [:], result: coded?["result"]?.map ?? [:])
  }
}

extension BootTime {
  fileprivate var coded: Value? {
    let (seconds, attoseconds) = elapsed.components
    return ["id": .string(id), "s": .int(seconds), "ns": .int(attoseconds / 1_000_000_000)]
  }

  fileprivate init?(coded: Value?) {
    guard let id = coded?["id"]?.string, let seconds = coded?["s"]?.int, let rest = coded?["ns"]?.int else {
      return nil
    }
    // A number of seconds beyond all reason is no moment of a boot.
    guard (0...1 << 40).contains(seconds), (0..<1_000_000_000).contains(rest) else { return nil }
    self.init(id: id, elapsed: .seconds(seconds) + .nanoseconds(rest))
  }
}

/// Lower-case hexadecimal text of bytes.
public enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)
  public static func text(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
  /// nil if the text is not pairs of hexadecimal digits.
  public static func bytes(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text {
      guard let digit = character.hexDigitValue else { return nil }
      if let first = high {
        bytes.append(first << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
    return high == nil ? bytes : nil
  }
}

/// Reads the fields of one entry; a missing or ill-typed one is damage.
struct Fields {
  let entry: JournalEntry
  let body: Value

  init(_ entry: JournalEntry, _ secrets: SecretCoder) throws(StoreFailure) {
    self.entry = entry
    guard case .map(var fields)? = try? JSONReader.read(entry.body) else {
      throw Fields.damage(entry, "its body is not a JSON object")
    }
    for name in Fact.carriers {
      if let value = fields[name] { fields[name] = ValueMarks.apply(fields["_\(name)_marks"], to: value, secrets) }
    }
    body = .map(fields)
  }
  static func damage(_ entry: JournalEntry, _ what: String) -> StoreFailure {
    .damaged("journal entry \(entry.sequence) (`\(entry.kind)`): \(what)")
  }
  func text(_ name: String) throws(StoreFailure) -> String {
    guard let text = body[name]?.string else { throw Fields.damage(entry, "`\(name)` is missing") }
    return text
  }
  func int(_ name: String) throws(StoreFailure) -> Int64 {
    guard let number = body[name]?.int else { throw Fields.damage(entry, "`\(name)` is missing") }
    return number
  }
  func instant(_ name: String) throws(StoreFailure) -> Timestamp {
    guard let instant = optionalInstant(name) else { throw Fields.damage(entry, "`\(name)` is missing") }
    return instant
  }
  func optionalInstant(_ name: String) -> Timestamp? { body[name]?.string.flatMap { Timestamp($0) } }
  func word<Word: RawRepresentable>(_ name: String, _: Word.Type) throws(StoreFailure) -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: try text(name)) else { throw Fields.damage(entry, "`\(name)` is no known word") }
    return word
  }
  func optionalText(_ name: String) -> String? { body[name]?.string }
  func map(_ name: String) -> [String: Value] { body[name]?.map ?? [:] }
  var error: StepError? { body["error"].flatMap { StepError($0) } }
  var attempt: Int {
    body["attempt"]?.int.flatMap { Int(exactly: $0) } ?? body["attempts"]?.int.flatMap { Int(exactly: $0) } ?? 1
  }
  func path() throws(StoreFailure) -> String {
    if let entry = optionalText("entry") { entry } else { try text("step") }
  }
}

extension Fact {
  /// - Throws: `damaged` for an entry this release cannot have written.
  public init(_ entry: JournalEntry) throws(StoreFailure) { try self.init(entry, .none) }

  /// - Parameter secrets: of the process that reads; values that hold any other are read as lost.
  init(_ entry: JournalEntry, _ secrets: SecretCoder) throws(StoreFailure) {
    let fields = try Fields(entry, secrets)
    switch entry.kind {
    case "run.started":
      var run = RunStarted(
        name: try fields.text("name"), file: try fields.text("file"), inputs: fields.map("inputs"),
        key: fields.optionalText("key"), requester: try fields.text("requester"),
        simulated: fields.body["simulated"]?.bool ?? false, rerunOf: fields.optionalText("rerun_of"),
        fromStep: fields.optionalText("from_step"), inherited: fields.map("_inherited"),
        boot: BootTime(coded: fields.body["_boot"]))
      run.secretDigests = fields.map("_secrets").compactMapValues { $0.string }
      run.unsearched = fields.body["unsearched"]?.list?.compactMap { $0.string } ?? []
      self = .runStarted(run)
    case "run.pinned":
      var files: [String: [UInt8]] = [:]
      for (path, content) in fields.map("_files") {
        guard let bytes = content.string.flatMap({ Hex.bytes($0) }) else {
          throw Fields.damage(entry, "`_files` is not hex")
        }
        files[path] = bytes
      }
      self = .runPinned(
        PinnedSource(text: try fields.text("_text"), files: files, folder: try fields.text("_folder")))
    case "run.resumed":
      self = .runResumed(
        RunResumed(
          epoch: try fields.int("epoch"), host: try fields.text("host"), pid: try fields.int("pid"),
          boot: BootTime(coded: fields.body["_boot"]),
          without: fields.body["without"]?.list?.compactMap { $0.string } ?? [],
          changed: fields.body["changed"]?.list?.compactMap { $0.string } ?? []))
    case "run.checked": self = .runChecked(problems: fields.body["problems"]?.list?.compactMap { $0.string } ?? [])
    case "step.started", "undo.started":
      var with = fields.map("with")
      with[StepStarted.environment] = fields.body["_env"]
      self = .stepStarted(
        StepStarted(
          step: try fields.path(), purpose: try fields.word("purpose", Purpose.self), title: try fields.text("title"),
          action: try fields.text("action"), effectClass: try fields.word("class", EffectClass.self),
          effect: try fields.word("effect", ActionEffect.self), key: try fields.text("_key"),
          digest: fields.optionalText("_digest") ?? "", with: with,
          keepsArguments: fields.body["_once"]?.bool ?? false, scriptPlace: fields.optionalText("_place"),
          before: fields.map("_before"),
          deadline: try fields.instant("deadline"), isWait: fields.body["_wait"]?.bool ?? false))
    case "attempt.started":
      self = .attemptStarted(
        step: try fields.text("step"), attempt: fields.attempt, key: try fields.text("_key"),
        cleared: fields.body["_cleared"]?.bool ?? false)
    case "request.found": self = .requestFound(step: try fields.text("step"))
    case "request.cleared": self = .requestCleared(step: try fields.text("step"))
    case "script.adopted": self = .scriptAdopted(step: try fields.text("step"))
    case "attempt.ended":
      self = .attemptEnded(
        AttemptEnded(
          step: try fields.text("step"), attempt: fields.attempt, error: fields.error,
          result: ActionResult(coded: fields.body["_result"]), retryAt: fields.optionalInstant("retry_at")))
    case "step.waiting":
      self = .stepWaiting(
        step: try fields.text("step"), nativeState: fields.optionalText("native_state"),
        until: try fields.text("until"),
        deadline: try fields.instant("deadline"), result: fields.body["_result"].map { ActionResult(coded: $0) })
    case "step.ended", "undo.ended":
      self = .stepEnded(
        StepEnded(
          step: try fields.path(), purpose: try fields.word("purpose", Purpose.self),
          status: try fields.word("status", StepStatus.self), attempt: fields.attempt, outputs: fields.map("outputs"),
          error: fields.error,
          effect: fields.optionalText("_effect").flatMap { StepFailure.Effect(rawValue: $0) }))
    default: self = try Fact(rollback: entry, fields)
    }
  }

  private init(rollback entry: JournalEntry, _ fields: Fields) throws(StoreFailure) {
    switch entry.kind {
    case "run.waiting" where fields.optionalText("for") == ApprovalQuestion.waitsFor:
      self = .approvalAsked(try ApprovalQuestion(fields))
    case "step.approved", "step.rejected": self = .approvalAnswered(try ApprovalAnswer(entry, fields))
    case "run.told": self = .waitingTold(try WaitingTold(fields))
    case "run.waiting":
      // An earlier release did not number its questions.
      self = .runWaiting(
        step: try fields.text("step"), until: try fields.instant("until"), error: fields.error,
        question: fields.body["question"]?.int.flatMap { Int(exactly: $0) } ?? 0)
    case "step.resolved":
      self = .stepResolved(
        step: try fields.text("step"), answer: try fields.word("answer", Resolution.self), by: try fields.text("by"),
        request: try fields.int("_request"))
    case "cancel.requested":
      self = .cancelRequested(
        by: try fields.text("by"), rollback: fields.body["rollback"]?.bool ?? true, request: try fields.int("_request"))
    case "request.ignored":
      self = .requestIgnored(request: try fields.int("_request"), reason: try fields.text("reason"))
    case "run.restored": self = .storeRestored
    case "run.restored_accepted": self = .restoredAccepted(by: try fields.text("by"))
    case "lock.freed":
      self = .lockFreed(
        lock: try fields.text("lock"), reason: try fields.text("reason"), by: try fields.text("by"))
    case "clock.set":
      self = .clockSet(by: .milliseconds(try fields.int("_milliseconds")))
    case "drill.judged":
      guard let verdict = DrillVerdict(fields.body) else { throw Fields.damage(entry, "it is no verdict") }
      self = .drillJudged(verdict)
    case "rollback.started": self = .rollbackStarted(reason: try fields.text("reason"))
    case "undo.settled": self = .undoSettled(step: try fields.text("step"))
    case "undo.closed": self = .undoClosed(step: try fields.text("step"), reason: try fields.text("reason"))
    case "rollback.ended":
      self = .rollbackEnded(
        outcome: try fields.word("outcome", RollbackOutcome.self), failedStep: fields.optionalText("failed_step"),
        error: fields.error)
    case "rollback.resumed": self = .rollbackResumed(by: try fields.text("by"), request: try fields.int("_request"))
    case "undo.skipped":
      self = .undoSkipped(
        entry: try fields.text("entry"), reason: try fields.text("reason"), by: try fields.text("by"),
        request: try fields.int("_request"))
    case "rollback.abandoned":
      self = .rollbackAbandoned(
        reason: try fields.text("reason"), by: try fields.text("by"), request: try fields.int("_request"))
    case "run.outputs": self = .outputsReady(outputs: fields.map("outputs"), error: fields.error)
    case "run.ended":
      self = .runEnded(
        RunEnded(
          outcome: try fields.word("outcome", RunOutcome.self),
          rollback: try fields.word("rollback", RollbackOutcome.self),
          exitCode: Int32(truncatingIfNeeded: try fields.int("exit_code")), outputs: fields.map("outputs"),
          drill: DrillVerdict(fields.body["drill"])))
    case "run.left": self = .runLeft(reason: try fields.text("reason"))
    default: throw Fields.damage(entry, "this release does not know this kind of entry")
    }
  }
}
