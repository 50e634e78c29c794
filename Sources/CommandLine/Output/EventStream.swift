import Posix
import Runbook

/// The events of a run as JSON, one document a line: the same on stdout (`--format json`) and in a file (`--events`).
struct EventStream {
  private let runID: String
  private var progress = ProgressLines()
  private var lastSequence: Int64

  init(runID: String, lastSequence: Int64) {
    self.runID = runID
    self.lastSequence = lastSequence
  }

  mutating func bytes(for event: RunEvent) -> [UInt8] {
    for name in ["step", "entry"] { if let path = event.fields[name]?.string { progress.forget(path) } }
    lastSequence = event.sequence
    return EventStream.json(event)
  }

  mutating func add(_ news: RunProgress) { progress.add(news) }

  /// The `step.progress` events that are due now. They are not journaled, so each bears the number of the last entry.
  mutating func dueBytes(at instant: Timestamp) -> [UInt8] {
    progress.due(at: Monotonic.now).flatMap { news in
      EventStream.json(
        RunEvent(
          event: "step.progress", runID: runID, sequence: lastSequence, at: instant,
          fields: ["step": .string(news.step), "message": .string(news.message ?? "")]))
    }
  }

  /// How this process's work came to its end where the journal has no entry for it; nil if it has one.
  func farewell(_ end: RunEnd, at instant: Timestamp) -> RunEvent? {
    var fields: [String: Value] = ["exit_code": .int(Int64(end.exitCode))]
    switch end {
    case .ended, .left: return nil
    case .parked(let step, _):
      fields["reason"] = "waits for an answer"
      fields["step"] = .string(step)
    case .restored: fields["reason"] = "waits for a person to say that a run of a restored store may go on"
    case .lost(let failure): fields["reason"] = .string(Refusal(failure).message)
    }
    return RunEvent(event: "run.left", runID: runID, sequence: lastSequence, at: instant, fields: fields)
  }

  /// The last event of a process that left has the same four fields as that of a run that ended.
  private static func json(_ event: RunEvent) -> [UInt8] {
    var event = event
    if event.event == "run.left" {
      for name in ["outcome", "rollback", "exit_code"] where event.fields[name] == nil {
        event.fields[name] = .some(.null)
      }
    }
    return JSONWriter.bytes(event.json) + [0x0a]
  }
}
