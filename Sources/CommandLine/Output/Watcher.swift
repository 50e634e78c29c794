import Posix
import Runbook
import Synchronization

/// Shows a run while it goes on: takes what the engine tells, and prints it from a task of its own, so that a slow
/// reader holds up nobody. On a terminal a live tree, in a pipe a line an event, for programs JSON Lines.
final class Watcher: RunObserver {
  enum Mode: Sendable, Equatable {
    /// One JSON object an event.
    case json
    /// One line an event.
    case lines
    /// A tree that redraws in place.
    case live
    /// Nothing until the closing words.
    case quiet
  }

  private enum News: Sendable {
    case event(RunEvent)
    case progress(RunProgress)
    /// Words for whoever pressed Ctrl-C.
    case notice(String)
  }

  private let shell: Shell
  private let mode: Mode
  private let runID: String
  private let plan: UndoPlan
  private let steps: [String]
  private let earlier: [RunEvent]
  private let clock: any EngineClock
  private let news = Mutex<[News]>([])
  private let wake: AsyncStream<Void>
  private let waker: AsyncStream<Void>.Continuation
  private let finalReport: Mutex<RunReport>
  private let lastSequence = Mutex<Int64>(0)

  /// - Parameters:
  ///   - clock: the run's own, by which its events are stamped. In a simulation it goes faster than the one on the
  ///     wall, and it does not jump when somebody sets that one.
  ///   - earlier: what was journaled before; counted, not printed.
  init(_ shell: Shell, runID: String, runbook: ValidatedRunbook?, clock: any EngineClock, earlier: [RunEvent] = []) {
    self.shell = shell
    self.runID = runID
    self.clock = clock
    plan = runbook.map { UndoPlan($0) } ?? UndoPlan()
    steps = runbook?.steps.map(\.path) ?? []
    mode = Watcher.mode(for: shell)
    finalReport = Mutex(RunReport(id: runID, plan: plan, events: earlier))
    self.earlier = earlier
    (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  private static func mode(for shell: Shell) -> Mode {
    if shell.wantsJSON { return .json }
    if shell.globals.quiet { return .quiet }
    return shell.output.isTerminal && !shell.isDumb && !shell.globals.verbose ? .live : .lines
  }

  /// The run as told so far; complete once `work` has returned.
  var report: RunReport { finalReport.withLock { $0 } }

  func observe(_ event: RunEvent) { tell(.event(event)) }
  func progress(_ progress: RunProgress) {
    if mode != .quiet { tell(.progress(progress)) }
  }
  /// Answers Ctrl-C before the run has noticed it.
  func say(_ words: String) {
    if mode == .live { tell(.notice(words)) } else { shell.output.message(words) }
  }
  /// The terminal has another size.
  func redraw() { waker.yield() }
  /// No more news: `work` prints what is left and returns. Programs are told how this process's work came to its end
  /// even where the journal has no entry for it.
  func finish(_ end: RunEnd? = nil) {
    if mode == .json, let end, let event = farewell(end) { tell(.event(event)) }
    waker.finish()
  }

  private func farewell(_ end: RunEnd) -> RunEvent? {
    var fields: [String: Value] = ["exit_code": .int(Int64(end.exitCode))]
    switch end {
    case .ended, .left: return nil
    case .parked(let step, _):
      fields["reason"] = "waits for an answer"
      fields["step"] = .string(step)
    case .restored: fields["reason"] = "waits for a person to say that a run of a restored store may go on"
    case .lost(let failure): fields["reason"] = .string(Refusal(failure).message)
    }
    let last = news.withLock { news in
      news.reversed().compactMap { if case .event(let event) = $0 { event.sequence } else { nil } }.first
    }
    return RunEvent(
      event: "run.left", runID: runID, sequence: last ?? lastSequence.withLock { $0 }, at: clock.now, fields: fields)
  }

  private func tell(_ item: News) {
    news.withLock { $0.append(item) }
    waker.yield()
  }

  private func takeNews() -> [News] {
    news.withLock { news in
      defer { news = [] }
      return news
    }
  }

  /// Prints until `finish`.
  func work() async {
    switch mode {
    case .live: await workLive()
    default: await workLines()
    }
  }

  // MARK: Lines

  private func workLines() async {
    var text = EventText(
      runID: runID, verbose: shell.globals.verbose, clockText: Shell.localTime, dayText: Shell.localDay,
      commands: Advice.commands)
    for event in earlier { _ = text.line(for: event) }
    var progress = ProgressLines()
    await withTaskGroup(of: Void.self) { group in
      // The beat for words that wait for their time, cancelled when there is nothing more to print.
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: Watcher.beat)
          self.waker.yield()
        }
      }
      for await _ in wake { await printLines(&text, &progress) }
      group.cancelAll()
    }
    await printLines(&text, &progress)
  }

  private static let beat = Duration.seconds(1)

  private func printLines(_ text: inout EventText, _ progress: inout ProgressLines) async {
    var bytes: [UInt8] = []
    for item in takeNews() {
      switch item {
      case .event(let event):
        for name in ["step", "entry"] { if let path = event.fields[name]?.string { progress.forget(path) } }
        bytes += line(for: event, &text)
      case .progress(let news): progress.add(news)
      case .notice: break
      }
    }
    for news in progress.due(at: Monotonic.now) { bytes += line(for: news, text) }
    if !bytes.isEmpty { await shell.output.stream(bytes) }
  }

  private func line(for event: RunEvent, _ text: inout EventText) -> [UInt8] {
    finalReport.withLock { $0.apply(event) }
    lastSequence.withLock { $0 = event.sequence }
    switch mode {
    case .json: return Watcher.json(event)
    case .quiet: return []
    case .lines, .live: return text.line(for: event).map { Array($0.utf8) + [0x0a] } ?? []
    }
  }

  /// Not journaled: programs get it with the number of the last entry.
  private func line(for progress: RunProgress, _ text: EventText) -> [UInt8] {
    let event = RunEvent(
      event: "step.progress", runID: runID, sequence: lastSequence.withLock { $0 }, at: clock.now,
      fields: ["step": .string(progress.step), "message": .string(progress.message ?? "")])
    switch mode {
    case .json: return Watcher.json(event)
    case .quiet: return []
    case .lines, .live: return Array(text.line(for: progress, at: event.at).utf8) + [0x0a]
    }
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

  // MARK: The live tree

  /// Short enough for a spinner to turn, long enough to cost nothing.
  private static let frameTime = Duration.milliseconds(100)

  private func workLive() async {
    let glyphs = Glyphs.forLocale { Environment[$0] }
    var tree = LiveTree(runID: runID, plan: plan, steps: steps, glyphs: glyphs)
    for event in earlier { tree.handle(event) }
    tree.forgetWhatRan()
    var screen = Screen(paint: shell.paint, glyphs: glyphs)
    var frame = 0
    await withTaskGroup(of: Void.self) { group in
      // The spinner's beat, cancelled when there is nothing more to draw.
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: Watcher.frameTime)
          self.waker.yield()
        }
      }
      var lastSpin = Monotonic.now
      for await _ in wake {
        if Monotonic.now - lastSpin >= Watcher.frameTime {
          frame &+= 1
          lastSpin = Monotonic.now
        }
        await draw(&tree, &screen, frame)
      }
      group.cancelAll()
    }
    await draw(&tree, &screen, frame)
  }

  private func draw(_ tree: inout LiveTree, _ screen: inout Screen, _ frame: Int) async {
    for item in takeNews() {
      switch item {
      case .event(let event):
        tree.handle(event)
        finalReport.withLock { $0.apply(event) }
      case .progress(let progress): tree.handle(progress)
      case .notice(let words): tree.show(notice: words)
      }
    }
    let known = Terminal.size(1) ?? (columns: 80, rows: 24)
    let size = Screen.Size(columns: known.columns, rows: known.rows)
    let live = tree.live(at: clock.now, frame: frame, rows: size.rows)
    let bytes = screen.frame(finished: tree.takeFinished(), live: live, size: size)
    if !bytes.isEmpty { await shell.output.stream(Array(bytes.utf8)) }
  }
}
