import Runbook

// The live lines: what goes on now.
extension LiveTree {
  /// What goes on at `now`, what comes next, and one line for all of it. `frame` turns the spinner.
  func live(at now: Timestamp, frame: Int, rows: Int) -> [StyledText] {
    guard report.status != .ended, report.startedAt != nil else { return [] }
    let spinner = glyphs.spinner[frame % glyphs.spinner.count]
    var lines: [StyledText] = []
    for limits in BranchLimits.all {
      let branches = Branches(tree: self, spinner: spinner, now: now, limits: limits)
      lines = order.flatMap { branches.lines(of: $0) }
      if lines.count <= rows - 4 { break }
    }
    if let awaited { lines.append(StyledText("  \(spinner) ", .active) + awaited) }
    let room = max(0, min(4, rows - lines.count - 4))
    lines += upcoming.prefix(room).map { StyledText("  \(glyphs.next) \(DisplayText.escaped($0, limit: 100))", .faint) }
    return lines + [StyledText(), footer(now)]
  }

  func runningLines(_ state: Running, _ spinner: String, _ now: Timestamp, indent: Int = 0) -> [StyledText] {
    let bar = String(repeating: " ", count: indent) + (state.isUndo ? "        | " : "      | ")
    return [runningLine(state, spinner, now, indent)]
      + state.output.map { StyledText(bar + DisplayText.escaped($0, limit: 200), .faint) }
  }

  private func runningLine(_ state: Running, _ spinner: String, _ now: Timestamp, _ indent: Int) -> StyledText {
    let elapsed = (now - state.startedAt).elapsedSeconds
    let line = row(spinner, .active, state.name, elapsed, words(for: state, now), indent: indent)
    return state.isUndo ? StyledText("  ") + line : line
  }

  func words(for state: Running, _ now: Timestamp) -> StyledText {
    if let retryAt = state.retryAt, retryAt > now {
      let why = state.failure.map { ": \($0)" } ?? ""
      return StyledText("attempt \(state.attempt) failed, again in \((retryAt - now).elapsedSeconds)\(why)", .warning)
    }
    var parts: [String] = []
    if state.attempt > 1 { parts.append("attempt \(state.attempt)") }
    if let until = state.until { parts.append("until \(until)") }
    if let native = state.nativeState { parts.append("now \(DisplayText.escaped(native, limit: 60))") }
    if let message = state.message { parts.append(DisplayText.escaped(message, limit: 200)) }
    if state.until != nil || state.nativeState != nil, let deadline = state.deadline {
      parts.append("at most \((deadline - state.startedAt).elapsedSeconds)")
    }
    return StyledText(parts.joined(separator: glyphs.divider), .plain)
  }

  private func footer(_ now: Timestamp) -> StyledText {
    var parts: [String] = []
    if let start = report.startedAt { parts.append((now - start).elapsedSeconds) }
    if report.rollbackReason == nil, total > 0 {
      let begun = report.roots.count { report.steps[$0].isMain && report.steps[$0].status != .started }
      parts.append("\(begun) of \(total)")
    }
    if let notice {
      parts.append(notice)
    } else if report.cancelledBy != nil {
      parts.append("cancelling")
    } else {
      parts.append(report.rollbackReason == nil ? "Ctrl-C cancels and undoes" : "undoing, newest first")
    }
    return StyledText("  " + parts.joined(separator: glyphs.divider), .faint)
  }
}
