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
    /// Words for the person who pressed Ctrl-C.
    case notice(String)
    /// How this process's work came to its end.
    case end(RunEnd)
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
  private let runbook: ValidatedRunbook?
  private let only: StepPattern?

  /// - Parameters:
  ///   - clock: the run's own, by which its events are stamped. In a simulation it goes faster than the one on the
  ///     wall, and it does not jump when somebody sets that one.
  ///   - earlier: what was journaled before; counted, not printed.
  ///   - only: the steps whose events are printed, a line or a document each; nil: all.
  init(
    _ shell: Shell, runID: String, runbook: ValidatedRunbook?, clock: any EngineClock, earlier: [RunEvent] = [],
    only: StepPattern? = nil
  ) {
    self.only = only
    self.shell = shell
    self.runID = runID
    self.clock = clock
    self.runbook = runbook
    plan = runbook.map { UndoPlan($0) } ?? UndoPlan()
    steps = runbook?.listed ?? []
    let mode = Watcher.mode(for: shell)
    self.mode = mode == .live && only != nil ? .lines : mode
    finalReport = Mutex(RunReport(id: runID, plan: plan, actions: Composition.actions, events: earlier))
    self.earlier = earlier
    (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  private static func mode(for shell: Shell) -> Mode {
    if shell.wantsJSON { return .json }
    if shell.globals.quiet { return .quiet }
    let isPlain = shell.isDumb || shell.globals.verbose || shell.channels?.annotates == true
    return shell.output.isTerminal && !isPlain ? .live : .lines
  }

  /// The run as told so far; complete once `work` has returned.
  var report: RunReport { finalReport.withLock { $0 } }

  func observe(_ event: RunEvent) {
    tell(.event(event))
    shell.channels?.events?.observe(event)
  }
  func progress(_ progress: RunProgress) {
    if mode != .quiet { tell(.progress(progress)) }
    shell.channels?.events?.progress(progress)
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
    if let end { tell(.end(end)) }
    shell.channels?.events?.finish(end)
    waker.finish()
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

  /// Prints until `finish`, and writes the event file beside it.
  func work() async {
    let stream = EventStream(runID: runID, lastSequence: earlier.last?.sequence ?? 0)
    await withTaskGroup(of: Void.self) { group in
      // A file that is slow to take its events, such as a pipe, must not hold up the screen.
      if let events = shell.channels?.events {
        group.addTask { await events.work(stream, clock: self.clock) { words in self.say(words) } }
      }
      switch mode {
      case .live: await workLive()
      default: await workLines(stream)
      }
    }
  }

  // MARK: Lines

  /// The formatters that turn events into lines, with all they remember from line to line.
  private struct LineState {
    var text: EventText
    var progress = ProgressLines()
    var stream: EventStream
    var annotations: GitHubAnnotations?
  }

  private func workLines(_ stream: EventStream) async {
    var state = LineState(
      text: EventText(
        runID: runID, verbose: shell.globals.verbose, clockText: Shell.localTime, dayText: Shell.localDay,
        commands: Advice.commands, actions: Composition.actions),
      stream: stream)
    for event in earlier { _ = state.text.line(for: event) }
    if shell.channels?.annotates == true {
      state.annotations = GitHubAnnotations(runID: runID, runbook: runbook, earlier: earlier)
    }
    await withTaskGroup(of: Void.self) { group in
      // The beat for words that wait for their time, cancelled when there is nothing more to print.
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: Watcher.beat)
          self.waker.yield()
        }
      }
      for await _ in wake { await printLines(&state) }
      group.cancelAll()
    }
    await printLines(&state)
  }

  private static let beat = Duration.seconds(1)

  private func printLines(_ state: inout LineState) async {
    var bytes: [UInt8] = []
    for item in takeNews() {
      switch item {
      case .event(let event):
        for name in ["step", "entry"] { if let path = event.fields[name]?.string { state.progress.forget(path) } }
        finalReport.withLock { $0.apply(event) }
        if let command = state.annotations?.command(for: event) { shell.output.message(command) }
        bytes += line(for: event, &state)
      case .progress(let news) where only?.matches(news.step) == false: break
      case .progress(let news):
        if mode == .json { state.stream.add(news) } else { state.progress.add(news) }
      case .end(let end):
        guard mode == .json, let event = state.stream.farewell(end, at: clock.now) else { break }
        finalReport.withLock { $0.apply(event) }
        bytes += state.stream.bytes(for: event)
      case .notice: break
      }
    }
    if mode == .json { bytes += state.stream.dueBytes(at: clock.now) }
    for news in state.progress.due(at: Monotonic.now) where mode == .lines {
      bytes += Array(state.text.line(for: news, at: clock.now).utf8) + [0x0a]
    }
    if !bytes.isEmpty { await shell.output.stream(bytes) }
  }

  private func line(for event: RunEvent, _ state: inout LineState) -> [UInt8] {
    guard only?.matches(event) ?? true else {
      if mode != .json { _ = state.text.line(for: event) }
      return []
    }
    return whole(event, &state)
  }

  private func whole(_ event: RunEvent, _ state: inout LineState) -> [UInt8] {
    switch mode {
    case .json: state.stream.bytes(for: event)
    case .quiet: []
    case .lines, .live: state.text.line(for: event).map { Array($0.utf8) + [0x0a] } ?? []
    }
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
      case .end: break
      }
    }
    let known = Terminal.size(1) ?? (columns: 80, rows: 24)
    let size = Screen.Size(columns: known.columns, rows: known.rows)
    let live = tree.live(at: clock.now, frame: frame, rows: size.rows)
    let bytes = screen.frame(finished: tree.takeFinished(), live: live, size: size)
    if !bytes.isEmpty { await shell.output.stream(Array(bytes.utf8)) }
  }
}
