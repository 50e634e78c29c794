import Posix
import Runbook
import Synchronization

/// `--detach`: the run goes on in a process of its own, without a terminal, in its own session. The starting process
/// waits until the run is in the journal, prints its id and ends with 6.
enum Detachment {
  /// Set in the started process alone.
  private static let variable = "RUNBOOK_DETACHED"
  static let isChild = Environment[variable] == "1"
  /// Where the started process tells the starting one how it went; used once.
  private static let report = Mutex<Descriptor?>(isChild ? DetachedSelf.report() : nil)

  // MARK: In the process that was started

  static func report(runID: String) {
    guard isChild else { return }
    send(["run_id": .string(runID)])
  }

  static func report(_ refusal: Refusal) -> ExitCode {
    send([
      "exit_code": .int(Int64(refusal.exitCode.rawValue)), "code": .string(refusal.code),
      "message": .string(refusal.message),
      "hint": refusal.hint.map { .string($0) } ?? .null,
    ])
    return refusal.exitCode
  }

  private static func send(_ news: Value) {
    // The descriptor is closed with its last reference: its end is the end of the news.
    let descriptor = report.withLock { descriptor in
      defer { descriptor = nil }
      return descriptor
    }
    try? descriptor?.write(JSONWriter.bytes(news))
  }

  // MARK: In the process that starts it

  static func start(_ shell: Shell) -> ExitCode {
    var environment = Environment.all
    environment[variable] = "1"
    do throws(PosixError) {
      let started = try DetachedSelf.start(arguments: Swift.CommandLine.arguments, environment: environment)
      return conclude(try news(from: started.report), shell)
    } catch {
      return shell.refuse(Refusal(.failed, .detach, "the run could not be detached: \(error.description)"))
    }
  }

  private static func news(from pipe: Descriptor) throws(PosixError) -> [UInt8] {
    var news: [UInt8] = []
    while news.count < 1 << 20, let piece = try pipe.read(limit: 4096), !piece.isEmpty { news += piece }
    return news
  }

  private static func conclude(_ bytes: [UInt8], _ shell: Shell) -> ExitCode {
    let news = (try? JSONReader.read(bytes)) ?? Value.null
    if let id = news["run_id"]?.string {
      if shell.wantsJSON {
        shell.output.result(json: ["v": 1, "run_id": .string(id), "exit_code": .int(Int64(ExitCode.waiting.rawValue))])
      } else {
        shell.output.result(id + "\n")
      }
      shell.note("`\(Advice.line("logs", id, "--follow"))` watches it")
      return .waiting
    }
    guard let message = news["message"]?.string else {
      return shell.refuse(
        Refusal(
          .failed, .detach, "the detached process ended before the run had begun",
          hint: "run it without --detach to see why"))
    }
    let code = news["exit_code"]?.int.flatMap { Int32(exactly: $0) }.flatMap { ExitCode(rawValue: $0) } ?? .failed
    let stated = news["code"]?.string ?? RefusalCode.detach.rawValue
    return shell.refuse(Refusal(code, stated: stated, message, hint: news["hint"]?.string))
  }
}
