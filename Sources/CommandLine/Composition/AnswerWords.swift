import Operations
import Runbook

// Why an answer, a cancel or a decision about a rollback was refused.
extension Refusal {
  static func noQuestion(_ run: String, _ step: String, _ open: [OpenQuestion]) -> Refusal {
    let asked = open.compactMap { if case .outcome(let step) = $0 { step } else { nil } }
    let waiting = asked.isEmpty ? "it waits for no answer" : "it waits for an answer about \(names(asked))"
    return Refusal(
      .usage, .notWaiting,
      "run \(run) does not wait for an answer about `\(DisplayText.escaped(step, limit: 100))`: \(waiting)",
      hint: "`\(Advice.line("show", run))` shows its state")
  }

  static func noApproval(_ run: String, _ step: String?, _ open: [OpenQuestion]) -> Refusal {
    let about = step.map { " about `\(DisplayText.escaped($0, limit: 100))`" } ?? ""
    let asked = open.compactMap { if case .approval(let step) = $0 { step } else { nil } }
    var instead = ""
    if !asked.isEmpty {
      instead = "; it asks about \(names(asked))"
    } else if case .outcome(let other)? = open.first {
      instead = "; it waits for `\(Advice.line("resolve", run, other))`, which says whether that step took effect"
    }
    return Refusal(
      .usage, .notWaiting, "run \(run) does not wait for an approval\(about)\(instead)",
      hint: "`\(Advice.line("show", run))` shows its state")
  }

  /// Branches ask at the same time: an answer must say whose it is.
  static func severalApprovals(_ run: String, _ steps: [String]) -> Refusal {
    Refusal(
      .usage, .notWaiting, "run \(run) asks about \(steps.count) steps: \(names(steps)); name the one that is meant",
      hint: "`\(Advice.line("show", run))` shows the questions")
  }

  /// Up to ten: `a`, `b` and `c`.
  private static func names(_ steps: [String]) -> String {
    var names = steps.prefix(10).map { "`\(DisplayText.escaped($0, limit: 100))`" }
    if steps.count > names.count { names.append("\(steps.count - names.count) more") }
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return "\(names.dropLast().joined(separator: ", ")) and \(last)"
  }

  static func notSeen(_ shown: String, _ question: ApprovalQuestion) -> Refusal {
    Refusal(
      .usage, .notSeen,
      "`--seen \(DisplayText.escaped(shown, limit: 40))` is another question; now it asks: "
        + DisplayText.escaped(question.prompt, limit: 1000),
      hint: "if that is what you allow, say `--seen \(question.digest)`")
  }

  static func answerTooLate(_ run: String, _ reason: String) -> Refusal {
    Refusal(
      .usage, .tooLate, DisplayText.escaped(reason, limit: 300),
      hint: "the time to answer is over; `\(Advice.line("show", run))` shows the state of the run")
  }

  static func answerIgnored(_ run: String, _ question: OpenQuestion, _ reason: String) -> Refusal {
    let what = if case .approval = question { "the answer did not count" } else { "the answer came too late" }
    return Refusal(
      .usage, .tooLate, "\(what): \(DisplayText.escaped(reason, limit: 300))",
      hint: "`\(Advice.line("show", run))` shows the state of the run")
  }

  static func answered(_ run: String, _ earlier: RunRequest, _ isLive: Bool) -> Refusal {
    let (by, at) = (DisplayText.escaped(earlier.requester, limit: 64), earlier.at.wholeSecond)
    let message =
      switch RunControl.Message(earlier) {
      case .resolve(_, let answer, _, _, _): "already answered by \(by) at \(at) (`--\(answer.rawValue)`)"
      case .answer(let answer): "it was \(answer.isApproval ? "approved" : "rejected") already, by \(by) at \(at)"
      case .cancel: "a cancel was asked for already, by \(by) at \(at)"
      case nil: "already answered by \(by) at \(at)"
      }
    return Refusal(
      .usage, .answered, message,
      hint: isLive ? "the run's owner carries it out" : "`\(Advice.line("resume", run))` carries it out")
  }

  static func cancelTooLate(_ run: String, _ reason: String) -> Refusal {
    Refusal(
      .usage, .tooLate, "run \(run) is not cancelled: \(DisplayText.escaped(reason, limit: 300))",
      hint: "`\(Advice.line("show", run))` shows its state")
  }

  static func otherCancel(_ run: String, _ earlier: RunRequest, _ rollsBack: Bool, _ isLive: Bool) -> Refusal {
    Refusal(
      .usage, .asked,
      "\(CancelCommand.asked(earlier)), \(rollsBack ? "with undoing its changes" : "without undoing anything")",
      hint: CancelCommand.next(run, isLive))
  }

  static func rollbackAbandoned(_ run: String, _ by: String, _ at: Timestamp, _ reason: String) -> Refusal {
    Refusal(
      .usage, .noRollback,
      "the rollback of run \(run) was abandoned by \(DisplayText.escaped(by, limit: 64)) at \(at.wholeSecond): "
        + DisplayText.escaped(reason, limit: 300),
      hint: "nothing is left to undo, and its locks are free")
  }

  static func noEntry(_ run: String, _ entry: String, _ left: [String]) -> Refusal {
    let shown = left.map { DisplayText.escaped($0, limit: 100) }.joined(separator: ", ")
    return Refusal(
      .usage, .noEntry, "there is no undo step `\(DisplayText.escaped(entry, limit: 100))` left to be done",
      hint: left.isEmpty
        ? "nothing is left: `\(Advice.line("rollback", "resume", run))` ends the run" : "left are: \(shown)")
  }
}
