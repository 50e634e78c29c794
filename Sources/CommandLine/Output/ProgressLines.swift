import Runbook

/// Which words about what goes on become a line in a pipe: one when they change, at most one every ten seconds for each
/// step. What comes sooner is kept, the newest of it, and printed when its time has come.
struct ProgressLines {
  static let pause = Duration.seconds(10)

  private struct Step {
    var printed: String?
    var printedAt: Duration?
    var waiting: RunProgress?
  }
  private var steps: [String: Step] = [:]

  /// Something waits for its time.
  var isWaiting: Bool { steps.values.contains { $0.waiting != nil } }

  /// News without words is nothing to print.
  mutating func add(_ progress: RunProgress) {
    guard let message = progress.message, !message.isEmpty else { return }
    var step = steps[progress.step] ?? Step()
    step.waiting = step.printed == message ? nil : progress
    steps[progress.step] = step
  }

  /// An event tells what has become of the step: what was kept about it is old.
  mutating func forget(_ path: String) { steps[path] = nil }

  /// The lines to print at this instant of a clock that nobody can set.
  mutating func due(at instant: Duration) -> [RunProgress] {
    var due: [RunProgress] = []
    for (path, step) in steps.sorted(by: { $0.key < $1.key }) {
      guard let progress = step.waiting else { continue }
      if let last = step.printedAt, instant - last < ProgressLines.pause { continue }
      steps[path] = Step(printed: progress.message, printedAt: instant)
      due.append(progress)
    }
    return due
  }
}
