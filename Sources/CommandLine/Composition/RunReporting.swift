import Glibc
import Posix
import Runbook

/// Options that a CI job needs: further places where a run is told, and the meaning of SIGTERM. `rollback resume` takes
/// the places only, because SIGTERM never ends a rollback.
struct RunReporting: Sendable {
  enum OnTerm: String, CaseIterable, Sendable {
    /// Leave the run at the next durable point, to be resumed.
    case leave
    /// Cancel it, and undo what was done.
    case cancel
  }

  enum Annotations: String, CaseIterable, Sendable { case github }

  static let annotations: OptionSpec = .value(
    "annotations", "github", .words(Annotations.allCases.map(\.rawValue)),
    "print failures and warnings as commands that GitHub Actions shows beside the file, on stderr")

  /// Places where a run is told beside stdout.
  static let places: [OptionSpec] = [
    .value("events", "FILE", .file, "add the events of --format json to this file, while stdout holds text"),
    annotations,
    .value("summary", "FILE", .file, "add the closing report to this file, in Markdown"),
  ]

  static let options: [OptionSpec] =
    [
      .value(
        "on-term", "leave|cancel", .words(OnTerm.allCases.map(\.rawValue)),
        "what SIGTERM does: leave the run, to be resumed (default), or cancel and undo it")
    ] + places

  var onTerm = OnTerm.leave
  private var events: String?
  private var annotations: Annotations?
  private var summary: String?

  init(_ arguments: ParsedArguments) {
    onTerm = arguments.value("on-term").flatMap { OnTerm(rawValue: $0) } ?? .leave
    events = arguments.value("events")
    annotations = arguments.value("annotations").flatMap { Annotations(rawValue: $0) }
    summary = arguments.value("summary")
  }

  /// The first of the places that was asked for.
  var place: String? {
    if events != nil { return "events" }
    if annotations != nil { return "annotations" }
    return summary == nil ? nil : "summary"
  }

  /// Refuses the options that a detached run cannot heed, because it has no output.
  func checkDetached() throws(UsageError) {
    if annotations != nil {
      throw UsageError(
        "a detached run has no output, so it takes no `--annotations`",
        hint: "`--events FILE` and `--summary FILE` work")
    }
  }

  /// Opens the files, so that one that cannot be written is told before the run begins.
  func opened(_ shell: Shell) throws(Refusal) -> Shell {
    var shell = shell
    InterruptDesk.shared.set(onTerm: onTerm)
    if let summary {
      do throws(AppendFailure) { _ = try AppendFile(summary) } catch {
        throw Refusal(
          .usage, .file, "the summary file `\(DisplayText.escaped(summary, limit: 300))` \(error.reason)",
          hint: "name a file in a folder that exists and can be written")
      }
    }
    let ofJob = annotations == .github ? Environment["GITHUB_STEP_SUMMARY"].flatMap { $0.isEmpty ? nil : $0 } : nil
    shell.channels = RunChannels(
      events: try events.map { path throws(Refusal) in try EventFile(path) }, annotates: annotations == .github,
      summaries: [summary, ofJob].compactMap { $0 })
    return shell
  }
}

/// Where a run is told beside stdout.
struct RunChannels: Sendable {
  let events: EventFile?
  let annotates: Bool
  /// Files to which the closing report is added.
  let summaries: [String]

  /// - Parameter say: told of a file that cannot be written; that ends no run.
  func summarize(_ report: RunReport, keptIn store: String?, say: (String) -> Void) {
    let text = MarkdownReport.text(for: report, Advice.commands, keptIn: store)
    for path in summaries {
      do throws(AppendFailure) {
        let file = try AppendFile(path)
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
          let count: Int
          do throws(PosixError) { count = try file.append(bytes, from: written) } catch { throw .failed(error) }
          if count == 0 { throw .failed(PosixError(EAGAIN, in: "write")) }
          written += count
        }
      } catch {
        say("warning: the summary file `\(DisplayText.escaped(path, limit: 300))` \(error.reason)")
      }
    }
  }
}
