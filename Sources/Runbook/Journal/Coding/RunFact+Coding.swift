extension RunFact {
  var coded: CodedFact {
    switch self {
    case .started(let run): run.coded
    case .pinned(let source): source.coded
    case .resumed(let run):
      (
        "run.resumed",
        [
          "epoch": .int(run.epoch), "host": .string(run.host), "pid": .int(run.pid), "_boot": run.boot?.coded,
          "without": ifAny(run.without), "changed": ifAny(run.changed),
        ]
      )
    case .checked(let problems): ("run.checked", ["problems": .list(problems.map { .string($0) })])
    case .cancelRequested(let by, let rollback, let request):
      ("cancel.requested", ["by": .string(by), "rollback": .bool(rollback), "_request": .int(request)])
    case .requestIgnored(let request, let reason):
      ("request.ignored", ["_request": .int(request), "reason": .string(reason)])
    case .eventIgnored(let event, let step, let reason):
      ("event.ignored", ["name": .string(event), "step": ifAny(step?.text), "reason": .string(reason)])
    case .storeRestored: ("run.restored", [:])
    case .restoredAccepted(let by): ("run.restored_accepted", ["by": .string(by)])
    case .lockFreed(let lock, let reason, let by):
      ("lock.freed", ["lock": .string(lock), "reason": .string(reason), "by": .string(by)])
    case .clockSet(let by): ("clock.set", ["by": .string(by.text), "_milliseconds": .int(by.milliseconds)])
    case .told(let told): told.coded
    case .drillJudged(let verdict): ("drill.judged", verdict.fields)
    case .outputsReady(let outputs, let error): ("run.outputs", ["outputs": .map(outputs), "error": error?.value])
    case .ended(let ended):
      (
        "run.ended",
        [
          "outcome": .string(ended.outcome.rawValue), "rollback": .string(ended.rollback.rawValue),
          "exit_code": .int(Int64(ended.exitCode)), "outputs": .map(ended.outputs), "drill": ended.drill?.value,
        ]
      )
    case .left(let reason):
      ("run.left", ["reason": .string(reason), "exit_code": .int(Int64(ExitCode.stopped.rawValue))])
    }
  }

  /// nil for an entry of another group.
  static func read(_ fields: Fields) throws(StoreFailure) -> RunFact? {
    switch fields.entry.kind {
    case "run.started": .started(try RunStarted(fields))
    case "run.pinned": .pinned(try PinnedSource(fields))
    case "run.resumed":
      .resumed(
        RunResumed(
          epoch: try fields.int("epoch"), host: try fields.text("host"), pid: try fields.int("pid"),
          boot: BootTime(coded: fields.body["_boot"]), without: fields.texts("without"),
          changed: fields.texts("changed")))
    case "run.checked": .checked(problems: fields.texts("problems"))
    case "cancel.requested":
      .cancelRequested(
        by: try fields.text("by"), rollback: fields.body["rollback"]?.bool ?? true, request: try fields.int("_request"))
    case "request.ignored":
      .requestIgnored(request: try fields.int("_request"), reason: try fields.text("reason"))
    case "event.ignored":
      .eventIgnored(
        event: try fields.text("name"), step: fields.optionalText("step").map { StepPath($0) },
        reason: try fields.text("reason"))
    case "run.restored": .storeRestored
    case "run.restored_accepted": .restoredAccepted(by: try fields.text("by"))
    case "lock.freed":
      .lockFreed(lock: try fields.text("lock"), reason: try fields.text("reason"), by: try fields.text("by"))
    case "clock.set": .clockSet(by: .milliseconds(try fields.int("_milliseconds")))
    case "run.told": .told(try WaitingTold(fields))
    case "drill.judged":
      if let verdict = DrillVerdict(fields.body) {
        .drillJudged(verdict)
      } else {
        throw Fields.damage(fields.entry, "it is no verdict")
      }
    case "run.outputs": .outputsReady(outputs: fields.map("outputs"), error: fields.error)
    case "run.ended":
      .ended(
        RunEnded(
          outcome: try fields.word("outcome", RunOutcome.self),
          rollback: try fields.word("rollback", RollbackOutcome.self),
          exitCode: Int32(truncatingIfNeeded: try fields.int("exit_code")), outputs: fields.map("outputs"),
          drill: DrillVerdict(fields.body["drill"])))
    case "run.left": .left(reason: try fields.text("reason"))
    default: nil
    }
  }
}

extension RunStarted {
  fileprivate var coded: CodedFact {
    (
      "run.started",
      [
        "name": .string(name), "file": .string(file), "inputs": .map(inputs), "key": ifAny(key),
        "requester": .string(requester), "simulated": .bool(simulated), "rerun_of": ifAny(rerunOf),
        "from_step": ifAny(fromStep), "_inherited": inherited.isEmpty ? nil : .map(inherited),
        "unsearched": ifAny(unsearched), "_boot": boot?.coded,
        "_secrets": secretDigests.isEmpty ? nil : .map(secretDigests.mapValues { .string($0) }),
      ]
    )
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      name: try fields.text("name"), file: try fields.text("file"), inputs: fields.map("inputs"),
      key: fields.optionalText("key"), requester: try fields.text("requester"),
      simulated: fields.body["simulated"]?.bool ?? false, rerunOf: fields.optionalText("rerun_of"),
      fromStep: fields.optionalText("from_step"), inherited: fields.map("_inherited"),
      boot: BootTime(coded: fields.body["_boot"]))
    secretDigests = fields.map("_secrets").compactMapValues { $0.string }
    unsearched = fields.texts("unsearched")
  }
}

extension PinnedSource {
  fileprivate var coded: CodedFact {
    (
      "run.pinned",
      [
        "_text": .string(text), "_folder": .string(folder), "_files": .map(files.mapValues { .string(Hex.text($0)) }),
      ]
    )
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    var files: [String: [UInt8]] = [:]
    for (path, content) in fields.map("_files") {
      guard let bytes = content.string.flatMap({ Hex.bytes($0) }) else {
        throw Fields.damage(fields.entry, "`_files` is not hex")
      }
      files[path] = bytes
    }
    self.init(text: try fields.text("_text"), files: files, folder: try fields.text("_folder"))
  }
}

extension WaitingTold {
  fileprivate var coded: CodedFact {
    (
      "run.told",
      [
        "for": .string(cause.rawValue), "step": .string(step.text),
        "question": question > 0 ? .int(Int64(question)) : nil, "failures": ifAny(failures),
      ]
    )
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      try fields.word("for", Cause.self), step: try fields.step(),
      question: fields.body["question"]?.int.flatMap { Int(exactly: $0) } ?? 0, failures: fields.texts("failures"))
  }
}
