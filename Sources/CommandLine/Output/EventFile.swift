import Posix
import Runbook
import Synchronization

/// `--events FILE`: the events of a run as JSON Lines in a file, while people read text. A task of its own writes them,
/// so that neither a slow disk nor a slow reader of a pipe holds up the run; and a file that breaks ends no run.
final class EventFile: Sendable {
  private enum News: Sendable {
    case event(RunEvent)
    case progress(RunProgress)
    case end(RunEnd)
  }

  let path: String
  private let file: AppendFile
  private let news = Mutex<[News]>([])
  private let wake: AsyncStream<Void>
  private let waker: AsyncStream<Void>.Continuation

  /// How much is kept for a reader of a pipe that does not keep up.
  private static let limit = 4 << 20
  /// How long the end of a run waits for such a reader.
  private static let patience = Duration.seconds(5)
  private static let beat = Duration.milliseconds(200)

  /// - Throws: a file that no line can be added to; nothing has been done yet.
  init(_ path: String) throws(Refusal) {
    self.path = path
    do throws(AppendFailure) { file = try AppendFile(path) } catch {
      throw Refusal(
        .usage, .file, "the event file `\(DisplayText.escaped(path, limit: 300))` \(error.reason)",
        hint: error == .noReader
          ? "start its reader first, or name a file" : "name a file in a folder that exists and can be written")
    }
    (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func observe(_ event: RunEvent) { tell(.event(event)) }
  func progress(_ progress: RunProgress) { tell(.progress(progress)) }
  /// No more news: `work` writes what is left and returns.
  func finish(_ end: RunEnd?) {
    if let end { tell(.end(end)) }
    waker.finish()
  }

  private func tell(_ item: News) {
    news.withLock { $0.append(item) }
    waker.yield()
  }

  /// Writes until `finish`.
  /// - Parameter say: told once, if no more can be written.
  func work(_ stream: EventStream, clock: any EngineClock, say: @escaping @Sendable (String) -> Void) async {
    var stream = stream
    var pending = Pending(bytes: file.endsInALine ? [0x0a] : [])
    await withTaskGroup(of: Void.self) { group in
      // The beat for words that wait for their time and for a pipe that was full, cancelled at the end.
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: EventFile.beat)
          self.waker.yield()
        }
      }
      for await _ in wake { write(&pending, &stream, clock, say) }
      group.cancelAll()
    }
    let begin = Monotonic.now
    write(&pending, &stream, clock, say)
    while !pending.isEmpty, !pending.isBroken {
      guard Monotonic.now - begin < EventFile.patience else { return give(up: &pending, "its reader is too slow", say) }
      try? await Task.sleep(for: .milliseconds(20))
      write(&pending, &stream, clock, say)
    }
  }

  /// Lines that are not in the file yet.
  private struct Pending {
    var bytes: [UInt8]
    var written = 0
    var isBroken = false
    var isEmpty: Bool { written == bytes.count }
  }

  private func write(
    _ pending: inout Pending, _ stream: inout EventStream, _ clock: any EngineClock, _ say: (String) -> Void
  ) {
    let items = news.withLock { news in
      defer { news = [] }
      return news
    }
    guard !pending.isBroken else { return }
    for item in items {
      switch item {
      case .event(let event): pending.bytes += stream.bytes(for: event)
      case .progress(let news): stream.add(news)
      case .end(let end):
        if let event = stream.farewell(end, at: clock.now) { pending.bytes += stream.bytes(for: event) }
      }
    }
    pending.bytes += stream.dueBytes(at: clock.now)
    do throws(PosixError) {
      while !pending.isEmpty {
        let count = try file.append(pending.bytes, from: pending.written)
        if count == 0 { break }
        pending.written += count
      }
    } catch {
      let part = pending.bytes[..<pending.written].reversed().prefix { $0 != 0x0a }.count
      file.takeBack(part)
      give(up: &pending, error.isReaderGone ? "its reader has gone" : error.reason, say)
      return
    }
    if pending.isEmpty { pending = Pending(bytes: []) }
    if pending.bytes.count - pending.written > EventFile.limit { give(up: &pending, "its reader is too slow", say) }
  }

  private func give(up pending: inout Pending, _ reason: String, _ say: (String) -> Void) {
    pending = Pending(bytes: [], isBroken: true)
    say(
      "warning: no more events are written to `\(DisplayText.escaped(path, limit: 300))`: \(reason); the run goes on")
  }
}
