@testable import Runbook

extension SearchedRunbook: CustomStringConvertible {
  /// As its author would write it; each action is named by its kind and its class.
  var description: String {
    var lines = ["runbook: v1", "name: searched"]
    if mayBeRestored { lines.append("# its store may be put back from an older copy") }
    if isDrill { lines.append("drill: {objectives: {rto: 10m}, measure: {…}}") }
    if isChecked { lines.append("providers: {cloud: {…}}") }
    if after != RollbackPolicy.standard.after {
      let words = RollbackPolicy.Trigger.allCases.filter { after.contains($0) }.map(\.rawValue)
      lines.append("rollback_policy: {after: [\(words.joined(separator: ", "))]}")
    }
    lines.append("steps:")
    for (id, step) in zip(SearchedRunbook.ids, steps) { lines.append("  - {id: \(id), \(step)}") }
    let look = SearchedRunbook.diagnostic
    for (section, count, call) in [
      ("on_failure", onFailure, look), ("on_rollback_failure", onRollbackFailure, look),
      ("always", always, alwaysChanges ? SearchedRunbook.cleanUp : look), ("on_waiting", tells ? 1 : 0, look),
    ] where count > 0 {
      lines.append("\(section): [\(Array(repeating: "{\(call)}", count: count).joined(separator: ", "))]")
    }
    return lines.joined(separator: "\n")
  }
}

extension SearchedStep: CustomStringConvertible {
  var description: String {
    var words = ["\(call)"]
    if continuesOnError { words.append("continue_on_error: true") }
    if let onCrash { words.append("on_crash: \(onCrash.rawValue)") }
    switch rollback {
    case .none: words.append(call.effect == .none ? "" : "rollback: none")
    case .irreversible: words.append("rollback: irreversible")
    case .steps(let undo, let onlyAfterSuccess):
      let list = "[\(undo.map { "\($0)" }.joined(separator: ", "))]"
      words.append("rollback: " + (onlyAfterSuccess ? "{undo: succeeded, steps: \(list)}" : list))
    }
    return words.filter { !$0.isEmpty }.joined(separator: ", ")
  }
}

extension SearchedUndo: CustomStringConvertible {
  var description: String { "{\(call)\(continuesOnError ? ", on_error: continue" : "")}" }
}

extension SearchedCall: CustomStringConvertible {
  var description: String {
    var words = ["\(word): \(effectClass.rawValue)"]
    if effect == .none { words.append("effect: none") }
    if isIdempotent { words.append("idempotent: true") }
    switch wait {
    case .nothing, .polled: break
    case .awaited: words.append("wait: true")
    case .notAwaited: words.append("wait: false")
    }
    switch question {
    case nil: break
    case .rejectedAfterItsTime: words.append("on_timeout: reject")
    case .allowedAfterItsTime: words.append("on_timeout: continue, min: 2")
    }
    return words.joined(separator: ", ")
  }
}
