public import Runbook

/// The events of a run, told line by line, each so many seconds after 12:00:00 on a January day.
public struct RunStory {
  public private(set) var events: [RunEvent] = []
  public let runID: String

  public init(_ runID: String = "r0123456789abcdefghi") { self.runID = runID }

  public static let beginning = Timestamp(seconds: 1_768_564_800)

  public mutating func tell(_ seconds: Double, _ event: String, _ fields: [String: Value] = [:]) {
    let at = RunStory.beginning + .milliseconds(Int64((seconds * 1000).rounded()))
    events.append(RunEvent(event: event, runID: runID, sequence: Int64(events.count + 1), at: at, fields: fields))
  }

  public mutating func begin(_ seconds: Double = 0, name: String = "pre_upgrade", inputs: Value = ["server": "12345"]) {
    tell(seconds, "run.started", ["name": .string(name), "inputs": inputs, "requester": "ops", "simulated": false])
  }

  public mutating func start(_ seconds: Double, _ step: String, _ action: String, effect: String = "none") {
    tell(
      seconds, "step.started",
      [
        "step": .string(step), "title": .string(step), "action": .string(action), "class": "E3",
        "effect": .string(effect),
        "purpose": "do", "attempt": 1,
      ])
  }

  public mutating func end(
    _ seconds: Double, _ step: String, _ status: String = "succeeded", error: Value? = nil, attempts: Int64 = 1
  ) {
    var fields: [String: Value] = [
      "step": .string(step), "status": .string(status), "purpose": "do", "attempts": .int(attempts),
    ]
    fields["error"] = error
    tell(seconds, "step.ended", fields)
  }

  public mutating func undo(
    _ seconds: Double, _ took: Double, _ step: String, _ action: String, _ status: String = "succeeded",
    error: Value? = nil
  ) {
    let entry = "\(step).undo[0]"
    tell(
      seconds, "undo.started",
      [
        "step": .string(step), "entry": .string(entry), "action": .string(action), "title": .string(action),
        "class": "E3", "effect": "change", "purpose": "undo", "attempt": 1,
      ])
    var fields: [String: Value] = [
      "step": .string(step), "entry": .string(entry), "status": .string(status), "purpose": "undo",
    ]
    fields["error"] = error
    tell(seconds + took, "undo.ended", fields)
    if status == "succeeded" { tell(seconds + took, "undo.closed", ["step": .string(step), "reason": "undone"]) }
  }

  public mutating func finish(
    _ seconds: Double, _ outcome: String, _ rollback: String, _ code: Int64, outputs: Value = [:]
  ) {
    tell(
      seconds, "run.ended",
      ["outcome": .string(outcome), "rollback": .string(rollback), "exit_code": .int(code), "outputs": outputs])
  }

  public static func error(_ kind: String, _ message: String, effect: String = "applied") -> Value {
    ["kind": .string(kind), "message": .string(message), "effect": .string(effect), "retryable": false]
  }

  // MARK: Whole stories

  /// Stop, snapshot, update: the update fails and both are undone but the snapshot, which is kept on purpose.
  public static var failedAndRolledBack: RunStory {
    var story = RunStory()
    story.begin()
    story.tell(0, "run.checked", ["problems": []])
    story.start(0.1, "stop", "server.stop", effect: "change")
    story.tell(0.4, "attempt.ended", ["step": "stop", "attempt": 1])
    story.tell(
      0.4, "step.waiting",
      [
        "step": "stop", "native_state": "stopping", "until": "stopped",
        "deadline": .timestamp(beginning + .seconds(600)),
      ])
    story.end(32.1, "stop")
    story.start(32.1, "snapshot", "snapshot.create", effect: "change")
    story.end(90, "snapshot")
    story.start(90, "update", "ssh.run", effect: "change")
    story.tell(
      100, "attempt.ended",
      [
        "step": "update", "attempt": 1, "error": error("unreachable", "connection refused", effect: "none"),
        "retry_at": .timestamp(beginning + .seconds(102)),
      ])
    story.tell(102, "attempt.started", ["step": "update", "attempt": 2])
    story.end(112, "update", "failed", error: error("exit_code", "the script ended with 1"), attempts: 2)
    story.tell(112, "rollback.started", ["reason": "failure"])
    story.undo(112, 58, "update", "snapshot.restore")
    story.undo(170, 12, "stop", "server.start")
    story.tell(182, "rollback.ended", ["outcome": "succeeded"])
    story.finish(182.5, "failed", "succeeded", 3)
    return story
  }

  /// The undo of `update` fails; that of `stop` is never begun.
  public static var rollbackFailed: RunStory {
    var story = RunStory()
    story.begin()
    story.start(0, "stop", "server.stop", effect: "change")
    story.end(30, "stop")
    story.start(30, "update", "ssh.run", effect: "change")
    story.end(40, "update", "failed", error: error("exit_code", "the script ended with 1"))
    story.tell(40, "rollback.started", ["reason": "failure"])
    story.undo(
      40, 60, "update", "snapshot.restore", "failed", error: error("server", "502 Bad Gateway", effect: "unknown"))
    story.tell(100, "rollback.ended", ["outcome": "failed", "failed_step": "update.undo[0]"])
    story.finish(101, "failed", "failed", 4)
    return story
  }

  public static let undoPlan: UndoPlan = {
    var plan = UndoPlan()
    plan.entries = [
      "stop": [
        UndoReport(
          entry: "stop.undo[0]", step: "stop", title: "server.start", action: "server.start")
      ],
      "update": [
        UndoReport(
          entry: "update.undo[0]", step: "update", title: "snapshot.restore", action: "snapshot.restore")
      ],
    ]
    return plan
  }()
}

// MARK: - Steps that hold others

extension RunStory {
  public mutating func open(_ seconds: Double, _ step: String, _ kind: String, _ fields: [String: Value] = [:]) {
    tell(
      seconds, "scope.started",
      ["step": .string(step), "title": .string(step), "kind": .string(kind)].merging(fields) { _, own in own })
  }

  /// A loop.
  public mutating func open(
    _ seconds: Double, _ step: String, items: [Value], batches: [Int64] = [], atOnce: Int64 = 1, mayFail: Int64 = 0
  ) {
    open(
      seconds, step, "for_each",
      [
        "items": .list(items), "batches": .list(batches.map { .int($0) }), "max_parallel": .int(atOnce),
        "max_failures": .int(mayFail),
      ])
  }

  public mutating func close(
    _ seconds: Double, _ step: String, _ status: String = "succeeded", error: Value? = nil,
    _ fields: [String: Value] = [:]
  ) {
    var fields = fields.merging(["step": .string(step), "status": .string(status), "outputs": [:]]) { own, _ in own }
    fields["error"] = error
    tell(seconds, "scope.ended", fields)
  }

  /// An error with the step that it is of.
  public static func error(_ kind: String, _ message: String, of step: String) -> Value {
    var fields = error(kind, message).map ?? [:]
    fields["step"] = .string(step)
    return .map(fields)
  }

  /// One iteration of `wave`, a block of `stop` and `update`: five seconds each.
  public mutating func iterate(_ seconds: Double, _ number: Int, fails: Bool = false, took: Double = 10) {
    let path = "wave[\(number)]"
    open(seconds, path, "block")
    start(seconds, "\(path).stop", "server.stop", effect: "change")
    end(seconds + took / 2, "\(path).stop")
    start(seconds + took / 2, "\(path).update", "ssh.run", effect: "change")
    guard fails else {
      end(seconds + took, "\(path).update")
      return close(seconds + took, path)
    }
    let error = RunStory.error("exit_code", "the script ended with 1", of: "\(path).update")
    end(seconds + took, "\(path).update", "failed", error: error)
    close(seconds + took, path, "failed", error: error)
    tell(seconds + took, "rollback.started", ["scope": .string(path), "reason": "failure"])
    undo(seconds + took, 1, "\(path).update", "snapshot.restore")
    undo(seconds + took + 1, 1, "\(path).stop", "server.start")
    tell(seconds + took + 2, "rollback.ended", ["scope": .string(path), "outcome": "succeeded"])
  }

  public static func names(_ count: Int) -> [Value] { (0..<count).map { .string("db-\($0)") } }

  /// A loop over so many servers; those of `failing` fail, which is borne, and are undone by themselves.
  public static func wave(of count: Int, failing: Set<Int>, isEnded: Bool = true) -> RunStory {
    var story = RunStory()
    story.begin(name: "patch", inputs: [:])
    story.start(0, "prepare", "http.get")
    story.end(1, "prepare")
    story.open(1, "wave", items: names(count), batches: [1, Int64(count - 1)], mayFail: Int64(count))
    var time = 1.0
    for number in 0..<count {
      let isSlow = number == 5
      story.iterate(time, number, fails: failing.contains(number), took: isSlow ? 30 : 10)
      time += (failing.contains(number) ? 12 : 10) + (isSlow ? 20 : 0)
    }
    guard isEnded else { return story }
    story.close(
      time, "wave", "succeeded", error: nil,
      ["failures": .int(Int64(failing.count)), "undone": .int(Int64(failing.count))])
    let rollback = failing.isEmpty ? "not_needed" : "succeeded"
    story.tell(time, "rollback.ended", ["outcome": .string(rollback)])
    story.finish(time, failing.isEmpty ? "succeeded" : "failed", rollback, failing.isEmpty ? 0 : 3)
    return story
  }

  public static let wavePlan: UndoPlan = {
    var plan = UndoPlan()
    for (step, action) in [("stop", "server.start"), ("update", "snapshot.restore")] {
      let path = "wave[*].\(step)"
      plan.entries[path] = [UndoReport(entry: "\(path).undo[0]", step: path, title: action, action: action)]
    }
    plan.kinds = ["wave": "for_each", "wave[*]": "block"]
    plan.last = "wave"
    return plan
  }()
}
